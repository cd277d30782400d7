-- The ids of the next extensions in a node's scope; included by statements that say more of them. Of two ways, that which reads
-- less: as many as are asked for of each organization in the scope, however many others there are; or, if those squared are as many as all
-- organizations, everybody's in order until so many are in the scope.
SELECT next.id FROM (
    SELECT e.id FROM node_scope s
    CROSS JOIN LATERAL (SELECT id FROM extension WHERE organization_id = s.organization_id AND id > %(after)s ORDER BY id LIMIT %(limit)s) e
    WHERE s.node_id = %(node_id)s AND NOT (/* include serves_many */)
    UNION ALL (
        -- IS TRUE keeps this from becoming a join, which would not go by the order.
        SELECT id FROM extension
        WHERE id > %(after)s AND (organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s)) IS TRUE
          AND (/* include serves_many */)
        ORDER BY id LIMIT %(limit)s)) next
ORDER BY next.id
LIMIT %(limit)s
