-- Extensions in order of organization and number, after one of them; all, or those that match a search. Each organization's are read
-- by its index from there on, so the thousandth page costs what the first one did.
SELECT o.code AS organization, e.number, e.name, e.enabled, e.allows_virtualization, e.account_code, e.mailbox,
       e.code_set_at IS NOT NULL AS has_code, e.code_set_at, e.failed_codes,
       CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END AS locked_until,
       e.max_stay, e.daily_return,
       (SELECT p.name FROM phone p WHERE p.base_id = e.id) AS phone, (SELECT p.name FROM phone p WHERE p.guest_id = e.id) AS host
FROM organization o
CROSS JOIN LATERAL (
    SELECT id, number, name, enabled, allows_virtualization, account_code, mailbox, code_set_at, failed_codes, locked_until, max_stay, daily_return
    FROM extension x
    WHERE x.organization_id = o.id
      AND x.number > CASE WHEN o.code = %(after_organization)s THEN %(after_number)s ELSE '' END
      AND (%(search)s::text IS NULL OR x.number ^@ %(search)s OR strpos(lower(x.name), lower(%(search)s)) > 0)
    ORDER BY x.number
    LIMIT %(limit)s) e
WHERE (%(organization)s::text IS NULL OR o.code = %(organization)s) AND o.code >= %(after_organization)s
ORDER BY o.code, e.number
LIMIT %(limit)s
