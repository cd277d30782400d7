-- Phones in order of name; the one named, those of an organization or node, those that match, or all after one. Each by an index
-- from there on, so the thousandth page costs what the first one did: PostgreSQL chooses it by how many phones the organization or node has, so they are given by id.
SELECT p.name, o.code AS organization, n.name AS node, o.code || '*' || b.number AS base,
       o.code || '*' || g.number AS guest, p.guest_since, p.emergency_number, p.emergency_location, p.enabled,
       p.failed_codes, CASE WHEN p.locked_until > clock_timestamp() THEN p.locked_until END AS locked_until
FROM phone p
JOIN organization o ON o.id = p.organization_id
JOIN pbx_node n ON n.id = p.node_id
LEFT JOIN extension b ON b.id = p.base_id
LEFT JOIN extension g ON g.id = p.guest_id
WHERE (%(name)s::text IS NULL OR p.name = %(name)s)
  AND (%(organization)s::bigint IS NULL OR p.organization_id = %(organization)s)
  AND (%(node)s::bigint IS NULL OR p.node_id = %(node)s)
  AND (%(search)s::text IS NULL OR strpos(lower(p.name), lower(%(search)s)) > 0)
  AND (%(after)s::text IS NULL OR p.name > %(after)s)
ORDER BY p.name
LIMIT %(limit)s
