-- The keys that changed after a version, in order of version, at most one batch. With the LIMIT, PostgreSQL always reads the index of
-- versions; without, a plan for all parameters might read the whole table.
SELECT key, version FROM route
WHERE version > %(version)s
  AND /* include in_scope */
ORDER BY version
LIMIT %(limit)s
