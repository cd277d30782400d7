UPDATE phone p
SET base_id = e.id, node_id = coalesce(n.id, p.node_id),
    emergency_number = coalesce(s.emergency_number, p.emergency_number),
    emergency_location = coalesce(s.emergency_location, p.emergency_location)
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
JOIN extension e ON e.organization_id = o.id AND e.number = s.number
LEFT JOIN pbx_node n ON n.name = s.node
WHERE c.kind = 'phone' AND NOT c.added AND p.name = s.phone
