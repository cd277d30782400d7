-- Phones of an organization that are provisioned with no extension.
SELECT p.name FROM phone p JOIN organization o ON o.id = p.organization_id
WHERE o.code = %(organization)s AND p.base_id IS NULL
ORDER BY p.name
LIMIT %(limit)s
