-- What the desks of an organization come to, in the words of roost.desks.Desk. No row for one with at most so many.
SELECT count(*)::int AS desks,
       count(*) FILTER (WHERE r.phone IS NOT NULL AND r.phone IS DISTINCT FROM p.name)::int AS away,
       count(*) FILTER (WHERE r.phone IS NULL)::int AS unreachable,
       count(*) FILTER (WHERE NOT (n.enabled AND n.failures = 0))::int AS cut_off
FROM organization o
JOIN extension b ON b.organization_id = o.id
LEFT JOIN phone p ON p.base_id = b.id
LEFT JOIN pbx_node n ON n.id = p.node_id
LEFT JOIN rings r ON r.extension_id = b.id
WHERE o.code = %(organization)s
  AND EXISTS (SELECT FROM extension x JOIN organization y ON y.id = x.organization_id
              WHERE y.code = %(organization)s OFFSET %(at_most)s)
HAVING count(*) > 0
