SELECT n.name AS node, r.key, r.reason, r.since FROM node_refused_row r JOIN pbx_node n ON n.id = r.node_id
WHERE %(node)s::text IS NULL OR n.name = %(node)s
ORDER BY r.since, n.name, r.key
LIMIT %(limit)s
