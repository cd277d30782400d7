-- The next extensions in order of id: a piece of the table that a node must have.
SELECT extension_id, substr(key, 3), node, phone FROM rings
WHERE extension_id > %(after)s
  AND /* include in_scope */
ORDER BY extension_id
LIMIT %(limit)s
