-- A phone, of these or of all, whose name does not match what the kind of a node demands that is told of it.
SELECT p.name, n.name, n.kind
FROM pbx_node n
JOIN phone p ON n.serves_all OR EXISTS (SELECT 1 FROM node_scope s WHERE s.node_id = n.id AND s.organization_id = p.organization_id)
WHERE p.name !~ ('^(?:' || (%(patterns)s::jsonb ->> n.kind) || ')$') AND (%(phones)s::text[] IS NULL OR p.name = ANY (%(phones)s))
LIMIT 1
