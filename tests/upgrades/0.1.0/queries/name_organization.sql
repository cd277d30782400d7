-- What the pages of an organization say of it.
SELECT code, name, enabled FROM organization WHERE code = %(organization)s
