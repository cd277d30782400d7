-- Phones of an organization that are provisioned with no extension.
SELECT name FROM phone
WHERE organization_id = (SELECT id FROM organization WHERE code = %(organization)s) AND base_id IS NULL
ORDER BY name
LIMIT %(limit)s
