-- Nodes in order of name; the one named, or all after a name.
SELECT n.name, n.kind, n.host, n.port, nullif(n.username, '') AS username, n.options, n.enabled,
       (SELECT count(*) FROM phone p WHERE p.node_id = n.id) AS phones
FROM pbx_node n
WHERE (%(name)s::text IS NULL OR n.name = %(name)s) AND (%(after)s::text IS NULL OR n.name > %(after)s)
ORDER BY n.name
LIMIT %(limit)s
