INSERT INTO extension (organization_id, number)
SELECT id, %(number)s FROM organization WHERE code = %(organization)s
RETURNING id
