-- What is known of a phone besides its journal: always exactly one row.
SELECT p.id IS NOT NULL AS exists, o.code AS organization, o.code_since, b.number AS base, g.number AS guest, p.guest_since,
       clock_timestamp() AS now, (SELECT min(at) FROM journal) AS journal_begins
FROM (SELECT) one
LEFT JOIN phone p ON p.name = %(phone)s
LEFT JOIN organization o ON o.id = p.organization_id
LEFT JOIN extension b ON b.id = p.base_id
LEFT JOIN extension g ON g.id = p.guest_id
