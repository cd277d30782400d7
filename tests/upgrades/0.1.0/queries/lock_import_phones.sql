SELECT count(*) FROM (
    SELECT p.id FROM import_change c JOIN phone p ON p.name = c.key WHERE c.kind = 'phone'
    ORDER BY p.id FOR NO KEY UPDATE OF p
) locked
