-- Extensions whose number begins with the feature code, so that who dials them reaches the center; the first ones, and how many.
SELECT o.code || '*' || e.number, count(*) OVER ()
FROM extension e
JOIN organization o ON o.id = e.organization_id
WHERE starts_with(e.number, %(feature_code)s)
ORDER BY o.code, e.number
LIMIT 5
