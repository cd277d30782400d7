-- Sets what the file gives of extensions that were there.
UPDATE extension e
SET (name, account_code, mailbox, enabled, allows_virtualization, max_stay, daily_return) =
    (SELECT n.name, n.account_code, n.mailbox, n.enabled, n.allows_virtualization, n.max_stay, n.daily_return
     FROM jsonb_populate_record(
         NULL::extension, fields_of(e.name, e.account_code, e.mailbox, e.enabled, e.allows_virtualization, e.max_stay, e.daily_return) || s.extension_fields) n)
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
WHERE c.kind = 'extension' AND NOT c.added AND e.organization_id = o.id AND e.number = s.number AND s.extension_fields <> '{}'
