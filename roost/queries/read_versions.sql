-- How far the database is: the version of its last numbered change, and the changes not numbered yet, 10,000 at most.
SELECT (SELECT coalesce(max(version), 0) FROM route) AS version, (SELECT count(*) FROM (SELECT FROM route_dirty LIMIT 10000) first) AS unnumbered,
       clock_timestamp() AS now
