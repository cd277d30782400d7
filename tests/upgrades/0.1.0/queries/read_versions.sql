-- How far the database is: the version of its last numbered change, and the changes not numbered yet.
SELECT (SELECT coalesce(max(version), 0) FROM route) AS version, (SELECT count(*) FROM route_dirty) AS unnumbered,
       clock_timestamp() AS now
