-- What every page of an organization shows of it.
SELECT o.code, o.name, o.enabled, /* include organization_doing */
FROM organization o
LEFT JOIN organization_change c ON c.organization_id = o.id
WHERE o.code = %(organization)s
