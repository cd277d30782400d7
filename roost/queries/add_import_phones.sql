-- The new phones, with their bases; `set_import_phones` does the rest.
INSERT INTO phone (organization_id, name, node_id, base_id)
SELECT o.id, s.phone, n.id, e.id
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
JOIN extension e ON e.organization_id = o.id AND e.number = s.number
JOIN pbx_node n ON n.name = s.node
WHERE c.kind = 'phone' AND c.added
ORDER BY s.line
