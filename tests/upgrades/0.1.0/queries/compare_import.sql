-- What the import adds or changes, by line: the thing, and its fields from old to new (no old one: a new thing).
CREATE TEMP TABLE import_change ON COMMIT DROP AS
WITH wanted AS (
    SELECT s.*, o.id AS organization_id, n.id AS node_id, e.id AS extension_id, p.id AS phone_id
    FROM staged s
    JOIN organization o ON o.code = s.organization
    LEFT JOIN pbx_node n ON n.name = s.node
    LEFT JOIN extension e ON e.organization_id = o.id AND e.number = s.number
    LEFT JOIN phone p ON p.name = s.phone
), change (line, kind, key, field, old, new) AS (
    SELECT w.line, 'extension', w.organization || '*' || w.number, f.field, f.old, f.new
    FROM wanted w LEFT JOIN extension e ON e.id = w.extension_id
    CROSS JOIN LATERAL (VALUES
        ('', CASE WHEN e.id IS NULL THEN NULL ELSE '' END, ''),
        ('name', e.name, w.name),
        ('account_code', e.account_code, w.account_code),
        ('mailbox', e.mailbox, w.mailbox),
        ('allows_virtualization', e.allows_virtualization::text, w.allows_virtualization::text)
    ) f (field, old, new)
    UNION ALL
    SELECT w.line, 'phone', w.phone, f.field, f.old, f.new
    FROM wanted w
    LEFT JOIN phone p ON p.id = w.phone_id
    LEFT JOIN pbx_node n ON n.id = p.node_id
    LEFT JOIN extension b ON b.id = p.base_id
    CROSS JOIN LATERAL (VALUES
        ('', CASE WHEN p.id IS NULL THEN NULL ELSE '' END, ''),
        ('node', n.name, w.node),
        ('base', w.organization || '*' || b.number, w.organization || '*' || w.number),
        ('emergency_number', p.emergency_number, w.emergency_number),
        ('emergency_location', p.emergency_location, w.emergency_location)
    ) f (field, old, new)
    WHERE w.phone IS NOT NULL
)
SELECT line, kind, key, bool_or(field = '') AS added,
       array_agg(field || ': ' || coalesce(old, '-') || ' → ' || new ORDER BY field) FILTER (WHERE field <> '') AS fields
FROM change
WHERE new IS NOT NULL AND old IS DISTINCT FROM new
GROUP BY line, kind, key
