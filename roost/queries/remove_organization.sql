-- Removes an organization that the caller found to have no extension and no phone.
DELETE FROM organization WHERE code = %(code)s RETURNING id
