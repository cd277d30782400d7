-- The new extensions, with what the file gives of them; the rest is as in an extension that was just added.
INSERT INTO extension (organization_id, number, name, account_code, mailbox, enabled, allows_virtualization, max_stay, daily_return)
SELECT o.id, s.number, n.name, n.account_code, n.mailbox, n.enabled, n.allows_virtualization, n.max_stay, n.daily_return
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::extension,
    '{"name": "", "account_code": "", "mailbox": "", "enabled": true, "allows_virtualization": false}' || s.extension_fields
) n
WHERE c.kind = 'extension' AND c.added
ORDER BY s.line
