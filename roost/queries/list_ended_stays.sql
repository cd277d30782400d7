-- Guests whose stay is over, the longest first. Those who keep their organization's limits go in the order in which they sat down, so of
-- each organization that has limits the first ones are enough, however many others sit; and those of guests who have a limit of their own.
-- Guests of an organization that is being disabled are sent home by that, step by step; until then they would keep others from their turn.
-- LATERAL with OFFSET 0 makes PostgreSQL look the latter up by index instead of reading every phone.
SELECT guest.phone_id, guest.guest_since, guest.organization, guest.number, stay.reason
FROM (
    SELECT p.id AS phone_id, p.guest_since, o.code AS organization, p.number, NULL::interval AS max_stay, NULL::time AS daily_return, o
    FROM organization o
    CROSS JOIN LATERAL (
        SELECT h.id, h.guest_since, e.number FROM phone h JOIN extension e ON e.id = h.guest_id
        WHERE h.organization_id = o.id AND h.guest_since IS NOT NULL AND e.max_stay IS NULL AND e.daily_return IS NULL
        ORDER BY h.guest_since LIMIT %(limit)s
    ) p
    WHERE o.enabled AND (o.max_stay IS NOT NULL OR o.daily_return IS NOT NULL)
    UNION ALL
    SELECT p.id, p.guest_since, o.code, e.number, e.max_stay, e.daily_return, o
    FROM extension e
    JOIN organization o ON o.id = e.organization_id
    CROSS JOIN LATERAL (SELECT h.id, h.guest_since FROM phone h WHERE h.guest_id = e.id OFFSET 0) p
    WHERE o.enabled AND (e.max_stay IS NOT NULL OR e.daily_return IS NOT NULL)
) guest
CROSS JOIN LATERAL stay_end_and_reason(guest.guest_since, guest.max_stay, guest.daily_return, guest.o) stay
WHERE stay.ends <= clock_timestamp()
ORDER BY guest.guest_since
LIMIT %(limit)s
