-- The extensions to change, in the order in which everybody locks them; phones come after.
SELECT count(*) FROM (
    SELECT e.id FROM import_change c
    JOIN organization o ON o.code = split_part(c.key, '*', 1)
    JOIN extension e ON e.organization_id = o.id AND e.number = split_part(c.key, '*', 2)
    WHERE c.kind = 'extension'
    ORDER BY e.id FOR NO KEY UPDATE OF e
) locked
