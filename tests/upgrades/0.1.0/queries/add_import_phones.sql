INSERT INTO phone (organization_id, name, node_id, base_id, emergency_number, emergency_location)
SELECT o.id, s.phone, n.id, e.id, coalesce(s.emergency_number, ''), coalesce(s.emergency_location, '')
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
JOIN extension e ON e.organization_id = o.id AND e.number = s.number
JOIN pbx_node n ON n.name = s.node
WHERE c.kind = 'phone' AND c.added
ORDER BY s.line
