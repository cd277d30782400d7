-- The next extensions in order of id: a piece of the table that a node must have.
SELECT extension_id, substr(key, 3), node, phone FROM rings
WHERE extension_id > %(after)s
  AND (%(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
ORDER BY extension_id
LIMIT %(limit)s
