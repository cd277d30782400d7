-- The next extensions in order of id: a piece of the table that a node must have which serves all organizations.
SELECT extension_id, substr(key, 3), node, phone FROM rings
WHERE extension_id > %(after)s
ORDER BY extension_id
LIMIT %(limit)s
