-- All that an extension's page shows of it, but for its journal: a page that was made of the same need not be made anew.
SELECT e.name, e.enabled, o.enabled, e.allows_virtualization, e.code_hash IS NOT NULL, e.code_set_at,
       CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END,
       host.name, host.guest_since, own.name, own.enabled, guest.number,
       (end_of_stay(host.guest_since, e, o)).ends
FROM extension e
JOIN organization o ON o.id = e.organization_id
LEFT JOIN phone host ON host.guest_id = e.id
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN extension guest ON guest.id = own.guest_id
WHERE o.code = %(organization)s AND e.number = %(number)s
