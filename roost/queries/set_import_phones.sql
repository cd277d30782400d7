-- Sets what the file gives of phones that were there.
UPDATE phone p
SET (base_id, node_id, emergency_number, emergency_location, enabled) =
    (SELECT e.id, coalesce(n.id, p.node_id), f.emergency_number, f.emergency_location, f.enabled
     FROM jsonb_populate_record(p, s.phone_fields) f)
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
JOIN extension e ON e.organization_id = o.id AND e.number = s.number
LEFT JOIN pbx_node n ON n.name = s.node
WHERE c.kind = 'phone' AND NOT c.added AND p.name = s.phone
