-- What the desks of an organization come to, in the words of roost.views.desks.Desk, without looking at each desk's whereabouts:
-- who is a guest somewhere is away; who is not rings at the own phone, if that is in use and hosts nobody, and else nowhere.
SELECT count(*)::int AS desks,
       count(h.guest_id)::int AS away,
       count(*) FILTER (WHERE h.guest_id IS NULL AND (p.id IS NULL OR p.guest_id IS NOT NULL OR NOT p.enabled OR NOT b.enabled OR NOT o.enabled))::int
           AS unreachable,
       count(*) FILTER (WHERE is_cut_off(n.enabled, n.failures))::int AS cut_off
FROM organization o
JOIN extension b ON b.organization_id = o.id
LEFT JOIN phone p ON p.base_id = b.id AND p.organization_id = o.id
LEFT JOIN phone h ON h.guest_id = b.id AND h.organization_id = o.id
LEFT JOIN pbx_node n ON n.id = p.node_id
WHERE o.code = %(organization)s
HAVING count(*) > 0
