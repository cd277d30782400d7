-- The keys changed after the version, oldest change first, as far as one batch goes. The limit keeps the plan on the index of versions,
-- whatever the planner believes of the parameters.
SELECT key, version FROM route
WHERE version > %(version)s
  AND (%(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
ORDER BY version
LIMIT %(limit)s
