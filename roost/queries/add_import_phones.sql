-- The new phones, with their bases and what the file gives of them.
INSERT INTO phone (organization_id, name, node_id, base_id, emergency_number, emergency_location, enabled)
SELECT o.id, s.phone, n.id, e.id, f.emergency_number, f.emergency_location, f.enabled
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
JOIN extension e ON e.organization_id = o.id AND e.number = s.number
JOIN pbx_node n ON n.name = s.node
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::phone, '{"emergency_number": "", "emergency_location": "", "enabled": true}' || s.phone_fields
) f
WHERE c.kind = 'phone' AND c.added
ORDER BY s.line
