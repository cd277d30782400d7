-- Extensions in order of organization and number; the one named, those that match a search, or all after one.
SELECT o.code AS organization, e.number, e.name, e.enabled, e.allows_virtualization, e.account_code, e.mailbox,
       e.code_hash IS NOT NULL AS has_code, e.code_set_at, e.failed_codes,
       CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END AS locked_until,
       e.max_stay, e.daily_return, own.name AS phone, host.name AS host
FROM extension e
JOIN organization o ON o.id = e.organization_id
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN phone host ON host.guest_id = e.id
WHERE (%(organization)s::text IS NULL OR o.code = %(organization)s)
  AND (%(number)s::text IS NULL OR e.number = %(number)s)
  AND (%(search)s::text IS NULL OR e.number ^@ %(search)s OR strpos(lower(e.name), lower(%(search)s)) > 0)
  AND (%(after)s::text IS NULL OR (o.code, e.number) > (split_part(%(after)s, '*', 1), split_part(%(after)s, '*', 2)))
ORDER BY o.code, e.number
LIMIT %(limit)s
