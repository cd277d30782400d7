-- Phones whose row no node can store, with their own extension or with their guest; the first ones, and how many there are.
SELECT p.name, o.code || '*' || e.number, count(*) OVER ()
FROM phone p
JOIN organization o ON o.id = p.organization_id
JOIN extension b ON b.id = p.base_id
CROSS JOIN LATERAL (VALUES (p.base_id), (p.guest_id)) speaker (id)
JOIN extension e ON e.id = speaker.id
WHERE NOT row_fits(o.code, e.number, e.name, e.account_code, e.mailbox, b.number, p)
ORDER BY p.name, o.code, e.number
LIMIT 5
