-- What every page of an organization shows of it.
SELECT code, name, enabled FROM organization WHERE code = %(organization)s
