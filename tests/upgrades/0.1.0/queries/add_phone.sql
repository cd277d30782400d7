INSERT INTO phone (organization_id, name, node_id)
SELECT o.id, %(name)s, n.id FROM organization o, pbx_node n WHERE o.code = %(organization)s AND n.name = %(node)s
RETURNING id
