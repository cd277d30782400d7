-- Takes the committed changes away and numbers them above all versions so far. The lock was taken by an
-- earlier statement, so that `max(version)` is read after the last holder committed.
WITH taken AS (DELETE FROM route_dirty RETURNING key, organization_id),
     top AS (SELECT coalesce(max(version), 0) AS version FROM route),
     numbered AS (
         INSERT INTO route (key, organization_id, version)
         SELECT k.key, k.organization_id, top.version + row_number() OVER (ORDER BY k.key, k.organization_id)
         FROM (SELECT DISTINCT key, organization_id FROM taken) k, top
         ORDER BY k.key, k.organization_id
         ON CONFLICT (key, organization_id) DO UPDATE SET version = excluded.version
         RETURNING organization_id)
SELECT count(*) AS numbered, coalesce(array_agg(DISTINCT organization_id), '{}') AS organizations FROM numbered
