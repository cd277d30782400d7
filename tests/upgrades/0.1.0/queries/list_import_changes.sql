SELECT line, kind, key, added, coalesce(fields, '{}') AS fields FROM import_change ORDER BY line, kind LIMIT %(limit)s
