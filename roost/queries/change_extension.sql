-- Sets the columns that `changes` names.
UPDATE extension e
SET (name, account_code, mailbox, enabled, allows_virtualization, max_stay, daily_return) =
    (SELECT n.name, n.account_code, n.mailbox, n.enabled, n.allows_virtualization, n.max_stay, n.daily_return
     FROM jsonb_populate_record(
         NULL::extension, fields_of(e.name, e.account_code, e.mailbox, e.enabled, e.allows_virtualization, e.max_stay, e.daily_return) || %(changes)s) n)
FROM organization o
WHERE o.id = e.organization_id AND o.code = %(organization)s AND e.number = %(number)s
RETURNING e.id
