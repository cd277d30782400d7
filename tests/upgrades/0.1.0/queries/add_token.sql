-- No row: the organization does not exist.
INSERT INTO token (name, token_hash, organization_id, access, created_by, expires_at)
SELECT %(name)s, %(token_hash)s, o.id, %(access)s, %(made_by)s, now() + %(lifetime)s::interval
FROM (SELECT) one
LEFT JOIN organization o ON o.code = %(organization)s
WHERE (o.id IS NULL) = (%(organization)s::text IS NULL)
RETURNING id
