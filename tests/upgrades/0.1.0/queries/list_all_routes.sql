SELECT substr(key, 3) AS extension, node, phone FROM rings
WHERE %(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s)
