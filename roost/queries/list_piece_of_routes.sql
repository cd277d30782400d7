-- The next extensions in order of id: a piece of the table that a node must have which serves all organizations.
SELECT extension_id AS id, organization || '*' || number AS extension, node, phone FROM rings
WHERE extension_id > %(after)s
ORDER BY extension_id
LIMIT %(limit)s
