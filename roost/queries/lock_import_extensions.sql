-- Locks the extensions to change, and those that the phones to change may speak as (lock_speakers.sql), in the order in which
-- everybody locks them; phones come after.
SELECT count(*) FROM (
    SELECT e.id FROM extension e
    WHERE e.id IN (
        SELECT x.id FROM import_change c JOIN staged s USING (line)
        JOIN organization o ON o.code = s.organization
        JOIN extension x ON x.organization_id = o.id AND x.number = s.number
        UNION ALL
        SELECT unnest(ARRAY[p.base_id, p.guest_id]) FROM import_change c JOIN phone p ON p.name = c.key
        WHERE c.kind = 'phone'
    )
    ORDER BY e.id FOR NO KEY UPDATE
) locked
