-- People in order of login; the one named, those of an organization, or all after a login. Each by an index from there on:
-- PostgreSQL chooses it by how many the organization has, so that is given by id.
SELECT p.id, p.login, p.name, p.role, o.code AS organization, e.number, p.enabled, p.created_at
FROM person p
LEFT JOIN organization o ON o.id = p.organization_id
LEFT JOIN extension e ON e.id = p.extension_id
WHERE (%(login)s::text IS NULL OR p.login = %(login)s)
  AND (%(organization)s::bigint IS NULL OR p.organization_id = %(organization)s)
  AND p.login > %(after)s
ORDER BY p.login
LIMIT %(limit)s
