-- Counts all desks of an organization, by the same states as list_desks. Gives no row when there are at most `at_most` desks: those
-- are counted from the list itself.
SELECT count(*)::int AS desks,
       count(*) FILTER (WHERE is_away(p.name, r.phone))::int AS away,
       count(*) FILTER (WHERE r.phone IS NULL)::int AS unreachable,
       count(*) FILTER (WHERE is_cut_off(n))::int AS cut_off
FROM organization o
JOIN extension b ON b.organization_id = o.id
LEFT JOIN phone p ON p.base_id = b.id
LEFT JOIN pbx_node n ON n.id = p.node_id
LEFT JOIN rings r ON r.extension_id = b.id
WHERE o.code = %(organization)s
  AND EXISTS (SELECT FROM extension x JOIN organization y ON y.id = x.organization_id
              WHERE y.code = %(organization)s OFFSET %(at_most)s)
HAVING count(*) > 0
