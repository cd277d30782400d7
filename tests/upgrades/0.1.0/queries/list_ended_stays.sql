-- Guests whose stay is over, longest first. Looked at are only those whose organization has a limit, and those who have their
-- own; LATERAL with OFFSET 0 finds the latter's phones, where the planner might look at every phone.
SELECT phone_id, guest_since, organization, number,
       CASE WHEN guest_since + stay.max_stay <= clock_timestamp() THEN 'stay_ended' ELSE 'daily_return' END AS reason
FROM (
    SELECT p.id AS phone_id, p.guest_since, o.code AS organization, e.number, o.timezone,
           coalesce(e.max_stay, o.max_stay) AS max_stay, coalesce(e.daily_return, o.daily_return) AS daily_return
    FROM organization o JOIN phone p ON p.organization_id = o.id JOIN extension e ON e.id = p.guest_id
    WHERE (o.max_stay IS NOT NULL OR o.daily_return IS NOT NULL) AND p.guest_id IS NOT NULL
    UNION ALL
    SELECT p.id, p.guest_since, o.code, e.number, o.timezone, e.max_stay, e.daily_return
    FROM extension e
    JOIN organization o ON o.id = e.organization_id AND o.max_stay IS NULL AND o.daily_return IS NULL
    CROSS JOIN LATERAL (SELECT h.id, h.guest_since FROM phone h WHERE h.guest_id = e.id OFFSET 0) p
    WHERE e.max_stay IS NOT NULL OR e.daily_return IS NOT NULL
) stay
WHERE stay_ends(guest_since, max_stay, daily_return, timezone) <= clock_timestamp()
ORDER BY guest_since
LIMIT %(limit)s
