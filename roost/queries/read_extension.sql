-- One extension, by its key alone. A statement of its own, for the plan of list_extensions must serve every filter.
SELECT o.code AS organization, e.number, e.name, e.enabled, e.allows_virtualization, e.account_code, e.mailbox,
       e.code_set_at IS NOT NULL AS has_code, e.code_set_at, e.failed_codes,
       CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END AS locked_until,
       e.max_stay, e.daily_return, own.name AS phone, host.name AS host
FROM extension e
JOIN organization o ON o.id = e.organization_id
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN phone host ON host.guest_id = e.id
WHERE o.code = %(organization)s AND e.number = %(number)s
