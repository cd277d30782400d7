-- How many extensions and phones an organization has, and how many phones a node has.
SELECT (SELECT count(*) FROM extension e JOIN organization o ON o.id = e.organization_id WHERE o.code = %(organization)s),
       (SELECT count(*) FROM phone p JOIN organization o ON o.id = p.organization_id WHERE o.code = %(organization)s),
       (SELECT count(*) FROM phone p JOIN pbx_node n ON n.id = p.node_id WHERE n.name = %(node)s)
