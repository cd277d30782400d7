-- What is wrong with a staged row, by line; the message names the code of the error first.
WITH spreadsheet AS (
    SELECT 'a spreadsheet takes zeros away: format the column as text' AS took
), fault (line, message) AS (
    SELECT s.line, 'unknown_organization: there is no organization ' || s.organization || coalesce(', but ' || whole.code || '; ' || spreadsheet.took, '')
    FROM staged s CROSS JOIN spreadsheet LEFT JOIN organization o ON o.code = s.organization
    LEFT JOIN (SELECT ltrim(code, '0') AS rest, min(code) AS code FROM organization WHERE code LIKE '0%%' GROUP BY rest) whole ON whole.rest = s.organization
    WHERE o.id IS NULL
    UNION ALL
    -- The line would make another extension, and give it the phone of the one that is meant.
    SELECT s.line, 'bad_value: there is no ' || s.organization || '*' || s.number || ', but ' || s.organization || '*' || min(whole.number) || '; '
                   || min(spreadsheet.took) || '. If both are meant, add it first: roost extension add'
    FROM staged s CROSS JOIN spreadsheet JOIN organization o ON o.code = s.organization
    JOIN extension whole ON whole.organization_id = o.id AND whole.number LIKE '0%%' AND ltrim(whole.number, '0') = s.number
    WHERE NOT EXISTS (SELECT FROM extension e WHERE e.organization_id = o.id AND e.number = s.number)
    GROUP BY s.line, s.organization, s.number
    UNION ALL
    SELECT s.line, 'unknown_node: there is no node ' || s.node
    FROM staged s LEFT JOIN pbx_node n ON n.name = s.node WHERE s.node IS NOT NULL AND n.id IS NULL
    UNION ALL
    SELECT s.line, 'node_serves_organization: the node ' || s.node || ' does not serve organization ' || s.organization
    FROM staged s JOIN organization o ON o.code = s.organization JOIN pbx_node n ON n.name = s.node
    WHERE NOT n.serves_all AND NOT EXISTS (SELECT FROM node_scope c WHERE c.node_id = n.id AND c.organization_id = o.id)
    UNION ALL
    SELECT d.line, 'duplicate: ' || d.organization || '*' || d.number || ' is on line ' || d.first || ' too'
    FROM (SELECT line, organization, number, min(line) OVER (PARTITION BY organization, number) AS first FROM staged) d
    WHERE d.line > d.first
    UNION ALL
    SELECT d.line, 'duplicate: the phone ' || d.phone || ' is on line ' || d.first || ' too'
    FROM (SELECT line, phone, min(line) OVER (PARTITION BY phone) AS first FROM staged WHERE phone IS NOT NULL) d
    WHERE d.line > d.first
    UNION ALL
    SELECT s.line, 'bad_value: the new phone ' || s.phone || ' needs a node'
    FROM staged s LEFT JOIN phone p ON p.name = s.phone WHERE s.phone IS NOT NULL AND s.node IS NULL AND p.id IS NULL
    UNION ALL
    SELECT s.line, 'other_organization: the phone ' || s.phone || ' belongs to another organization'
    FROM staged s JOIN phone p ON p.name = s.phone JOIN organization o ON o.id = p.organization_id
    WHERE o.code <> s.organization
    UNION ALL
    -- Its phone of today may go to another extension in the same file; then there is no clash.
    SELECT s.line, 'extension_has_phone: ' || s.organization || '*' || s.number || ' has the phone ' || p.name
    FROM staged s JOIN organization o ON o.code = s.organization
    JOIN extension e ON e.organization_id = o.id AND e.number = s.number
    JOIN phone p ON p.base_id = e.id
    WHERE s.phone <> p.name AND NOT EXISTS (SELECT FROM staged t WHERE t.phone = p.name)
    UNION ALL
    -- The phone of the line, or the one that the extension has, with the extension as they will be. Guests are looked at when
    -- the import is written.
    SELECT s.line, 'too_long: no node could store ' || coalesce(named.name, s.phone, own.name)
                   || ': shorten the name, the mailbox or the emergency location'
    FROM staged s JOIN organization o ON o.code = s.organization
    LEFT JOIN extension e ON e.organization_id = o.id AND e.number = s.number
    LEFT JOIN phone named ON named.name = s.phone
    LEFT JOIN phone own ON own.base_id = e.id AND s.phone IS NULL
    WHERE coalesce(s.phone, own.name) IS NOT NULL
      AND NOT row_fits(o.code, s.number, coalesce(s.extension_fields ->> 'name', e.name), coalesce(s.extension_fields ->> 'account_code', e.account_code),
                       coalesce(s.extension_fields ->> 'mailbox', e.mailbox), s.number,
                       jsonb_populate_record(CASE WHEN s.phone IS NULL THEN own ELSE named END, s.phone_fields))
)
SELECT line, message FROM fault ORDER BY line, message LIMIT %(limit)s
