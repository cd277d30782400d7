UPDATE extension e
SET name = coalesce(s.name, e.name), account_code = coalesce(s.account_code, e.account_code),
    mailbox = coalesce(s.mailbox, e.mailbox),
    allows_virtualization = coalesce(s.allows_virtualization, e.allows_virtualization)
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
WHERE c.kind = 'extension' AND NOT c.added AND e.organization_id = o.id AND e.number = s.number
