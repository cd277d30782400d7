-- The first node of these kinds that serves more than one organization, with the codes of two of them.
SELECT n.name, n.kind, served.codes
FROM pbx_node n
CROSS JOIN LATERAL (
    SELECT array_agg(code) AS codes FROM (
        SELECT o.code FROM organization o
        WHERE n.serves_all OR EXISTS (SELECT 1 FROM node_scope s WHERE s.node_id = n.id AND s.organization_id = o.id)
        ORDER BY o.id DESC LIMIT 2
    ) two
) served
WHERE n.kind = ANY (%(kinds)s) AND array_length(served.codes, 1) > 1
LIMIT 1
