-- The ids of the next extensions in a node's scope; included by statements that say more of them.
SELECT e.id FROM node_scope s
CROSS JOIN LATERAL (SELECT id FROM extension WHERE organization_id = s.organization_id AND id > %(after)s ORDER BY id LIMIT %(limit)s) e
WHERE s.node_id = %(node_id)s
ORDER BY e.id
LIMIT %(limit)s
