-- Rows of the file that an import reads (COLUMNS in import_file.py, in their order), after a short number.
SELECT o.code, e.number, e.name, e.account_code, e.mailbox, CASE WHEN e.allows_virtualization THEN 'yes' ELSE 'no' END,
       p.name, n.name, p.emergency_number, p.emergency_location
FROM organization o
JOIN extension e ON e.organization_id = o.id
LEFT JOIN phone p ON p.base_id = e.id
LEFT JOIN pbx_node n ON n.id = p.node_id
WHERE o.code = %(organization)s AND e.number > %(after)s
ORDER BY e.number
LIMIT %(limit)s
