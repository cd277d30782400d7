-- Locks the extensions that a phone may speak as, before the phone itself, in the order in which everybody locks. Whoever changes one
-- of them at the same time waits, and then sees the phone as it is now: so the two together make no row that is too long.
SELECT count(*) FROM (
    SELECT e.id FROM extension e
    WHERE e.id = ANY (ARRAY(SELECT %(base_id)s::bigint UNION ALL SELECT unnest(ARRAY[p.base_id, p.guest_id]) FROM phone p WHERE p.name = %(name)s))
    ORDER BY e.id FOR NO KEY UPDATE
) locked
