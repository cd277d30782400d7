-- Rows of the file that an import reads (COLUMNS in import_file.py, in their order), after a short number. LATERAL, and OFFSET 0, look up what
-- is given, where the planner might read all for each part.
SELECT o.code, e.number, e.name, e.account_code, e.mailbox, CASE WHEN e.allows_virtualization THEN 'yes' ELSE 'no' END,
       p.name, n.name, p.emergency_number, p.emergency_location
FROM organization o
CROSS JOIN LATERAL (
    SELECT id, number, name, account_code, mailbox, allows_virtualization FROM extension
    WHERE organization_id = o.id AND number > %(after)s ORDER BY number LIMIT %(limit)s
) e
LEFT JOIN LATERAL (SELECT * FROM phone WHERE base_id = e.id OFFSET 0) p ON true
LEFT JOIN pbx_node n ON n.id = p.node_id
WHERE o.code = %(organization)s
ORDER BY e.number
