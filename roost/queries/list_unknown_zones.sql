-- Organizations in a time zone that PostgreSQL does not know, and how many they are.
SELECT o.code, o.timezone, count(*) OVER () FROM organization o
WHERE o.timezone IN (SELECT zone FROM (SELECT DISTINCT timezone AS zone FROM organization OFFSET 0) zones WHERE NOT knows_zone(zone))
ORDER BY o.code LIMIT 5
