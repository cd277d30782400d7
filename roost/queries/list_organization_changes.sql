-- Organizations with steps left to take: all, or the one named.
SELECT c.organization_id AS id, o.code, c.removing, c.done, c.total
FROM organization_change c JOIN organization o ON o.id = c.organization_id
WHERE %(code)s::text IS NULL OR o.code = %(code)s
ORDER BY c.seen_at
