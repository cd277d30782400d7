SELECT n.serves_all, array_remove(array_agg(o.code ORDER BY o.code), NULL) AS organizations
FROM pbx_node n LEFT JOIN node_scope s ON s.node_id = n.id LEFT JOIN organization o ON o.id = s.organization_id
WHERE n.name = %(node)s GROUP BY n.id
