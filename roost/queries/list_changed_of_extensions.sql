-- Of these short numbers of an organization, those whose whereabouts changed after a version; each is looked up, whatever else changed.
SELECT asked.number
FROM organization o
CROSS JOIN unnest(%(numbers)s::text[]) asked (number)
JOIN LATERAL (SELECT version FROM route WHERE key = 'e/' || o.code || '*' || asked.number AND organization_id = o.id OFFSET 0) r ON r.version > %(version)s
WHERE o.code = %(organization)s
