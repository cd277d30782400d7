-- An empty one.
DELETE FROM organization WHERE code = %(code)s RETURNING id
