-- The phones of each node in use, so many of each at most, by name.
SELECT n.name, array(SELECT p.name FROM phone p WHERE p.node_id = n.id ORDER BY p.name LIMIT %(most)s)
FROM pbx_node n WHERE n.enabled
