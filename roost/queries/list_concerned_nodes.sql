-- Nodes to wake after a change in these organizations.
SELECT name FROM pbx_node n
WHERE enabled AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp())
  AND (serves_all OR EXISTS (SELECT 1 FROM node_scope s WHERE s.node_id = n.id AND s.organization_id = ANY (%(organizations)s)))
ORDER BY name
