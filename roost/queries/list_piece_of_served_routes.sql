-- The next extensions that a node with a scope must have, in order of id: those of each organization by its index, however many others
-- there are.
SELECT r.extension_id AS id, r.organization || '*' || r.number AS extension, r.node, r.phone
FROM (/* include list_served_ids */) piece
CROSS JOIN LATERAL (SELECT * FROM rings WHERE extension_id = piece.id OFFSET 0) r
ORDER BY r.extension_id
