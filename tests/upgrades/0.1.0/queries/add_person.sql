-- No row: the organization or the extension it names does not exist.
INSERT INTO person (login, name, role, organization_id, extension_id, password_hash)
SELECT %(login)s, %(name)s, %(role)s, o.id, e.id, %(password_hash)s
FROM (SELECT) one
LEFT JOIN organization o ON o.code = %(organization)s
LEFT JOIN extension e ON e.organization_id = o.id AND e.number = %(number)s
WHERE (o.id IS NULL) = (%(organization)s::text IS NULL) AND (e.id IS NULL) = (%(number)s::text IS NULL)
RETURNING id
