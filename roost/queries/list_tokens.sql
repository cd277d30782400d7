-- Tokens in order of id; the one named, those of an organization, or all after an id. Each by an index from there on:
-- PostgreSQL chooses it by how many the organization has, so that is given by id.
SELECT t.id, t.name, o.code AS organization, t.access, t.created_at, t.created_by, t.expires_at, t.used_at
FROM token t
LEFT JOIN organization o ON o.id = t.organization_id
WHERE (%(id)s::bigint IS NULL OR t.id = %(id)s)
  AND (%(organization)s::bigint IS NULL OR t.organization_id = %(organization)s)
  AND t.id > %(after)s
ORDER BY t.id
LIMIT %(limit)s
