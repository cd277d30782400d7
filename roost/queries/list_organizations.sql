-- Organizations in order of code; the one named, or all after a code.
SELECT o.code, o.name, o.enabled, o.policy, o.max_stay, o.daily_return, o.timezone, o.lock_after, o.lock_for,
       o.phone_lock_after, o.allows_weak_codes,
       (SELECT count(*) FROM extension e WHERE e.organization_id = o.id) AS extensions,
       (SELECT count(*) FROM phone p WHERE p.organization_id = o.id) AS phones,
       /* include organization_doing */
FROM organization o
LEFT JOIN organization_change c ON c.organization_id = o.id
WHERE (%(code)s::text IS NULL OR o.code = %(code)s) AND (%(after)s::text IS NULL OR o.code > %(after)s)
ORDER BY o.code
LIMIT %(limit)s
