-- What the import would add or change, one row for each thing of each line, with its fields as `name: old → new`. The field '' says
-- that the thing itself is new.
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
    CROSS JOIN LATERAL (
        SELECT '' AS field, CASE WHEN e.id IS NULL THEN NULL ELSE '' END AS old, '' AS new
        UNION ALL SELECT key, fields_of(e.name, e.account_code, e.mailbox, e.enabled, e.allows_virtualization, e.max_stay, e.daily_return) ->> key, value FROM jsonb_each_text(w.extension_fields)
    ) f
    UNION ALL
    SELECT w.line, 'phone', w.phone, f.field, f.old, f.new
    FROM wanted w
    LEFT JOIN phone p ON p.id = w.phone_id
    LEFT JOIN pbx_node n ON n.id = p.node_id
    LEFT JOIN extension b ON b.id = p.base_id
    CROSS JOIN LATERAL (
        SELECT '' AS field, CASE WHEN p.id IS NULL THEN NULL ELSE '' END AS old, '' AS new
        UNION ALL VALUES
            ('node', n.name, w.node),
            ('base', w.organization || '*' || b.number, w.organization || '*' || w.number)
        UNION ALL SELECT key, to_jsonb(p) ->> key, value FROM jsonb_each_text(w.phone_fields)
    ) f
    WHERE w.phone IS NOT NULL
)
SELECT line, kind, key, bool_or(field = '') AS added,
       array_agg(field || ': ' || coalesce(old, '-') || ' → ' || new ORDER BY field) FILTER (WHERE field <> '') AS fields
FROM change
WHERE new IS NOT NULL AND old IS DISTINCT FROM new
GROUP BY line, kind, key
