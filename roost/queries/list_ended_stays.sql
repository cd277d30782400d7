-- Guests whose stay is over, longest first.
SELECT p.id AS phone_id, p.guest_since, o.code AS organization, e.number,
       CASE WHEN p.guest_since + coalesce(e.max_stay, o.max_stay) <= clock_timestamp()
            THEN 'stay_ended' ELSE 'daily_return' END AS reason
FROM phone p JOIN extension e ON e.id = p.guest_id JOIN organization o ON o.id = p.organization_id
WHERE stay_ends(p.guest_since, coalesce(e.max_stay, o.max_stay), coalesce(e.daily_return, o.daily_return), o.timezone)
      <= clock_timestamp()
ORDER BY p.guest_since
LIMIT %(limit)s
