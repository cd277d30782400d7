-- The new extensions, with nothing in them yet.
INSERT INTO extension (organization_id, number)
SELECT o.id, s.number
FROM import_change c JOIN staged s USING (line) JOIN organization o ON o.code = s.organization
WHERE c.kind = 'extension' AND c.added
ORDER BY s.line
