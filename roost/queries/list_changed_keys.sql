-- The keys changed after the version, oldest change first, as far as one batch goes. The limit keeps the plan on the index of versions,
-- whatever the planner believes of the parameters.
SELECT key, version FROM route
WHERE version > %(version)s
  AND /* include in_scope */
ORDER BY version
LIMIT %(limit)s
