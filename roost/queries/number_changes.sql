-- Takes the committed changes away and numbers them above all versions so far. The lock was taken by an
-- earlier statement, so that `max(version)` is read after the last holder committed.
WITH taken AS (DELETE FROM route_dirty RETURNING key),
     top AS (SELECT coalesce(max(version), 0) AS version FROM route)
INSERT INTO route (key, version)
SELECT k.key, top.version + row_number() OVER (ORDER BY k.key) FROM (SELECT DISTINCT key FROM taken) k, top
ORDER BY k.key
ON CONFLICT (key) DO UPDATE SET version = excluded.version
