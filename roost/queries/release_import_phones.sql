-- Takes the base extension from phones that are to get another one, so that two phones may exchange theirs.
UPDATE phone p SET base_id = NULL
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
JOIN extension e ON e.organization_id = o.id AND e.number = s.number
WHERE c.kind = 'phone' AND NOT c.added AND p.name = s.phone AND p.base_id <> e.id
