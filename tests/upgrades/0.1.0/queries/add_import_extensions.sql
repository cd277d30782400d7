INSERT INTO extension (organization_id, number, name, account_code, mailbox, allows_virtualization)
SELECT o.id, s.number, coalesce(s.name, ''), coalesce(s.account_code, ''), coalesce(s.mailbox, ''),
       coalesce(s.allows_virtualization, false)
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
WHERE c.kind = 'extension' AND c.added
ORDER BY s.line
