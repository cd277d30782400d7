-- Its guests go home first, and its phones and extensions go with it: the trigger organization_removed in schema.sql.
DELETE FROM organization WHERE code = %(code)s RETURNING id
