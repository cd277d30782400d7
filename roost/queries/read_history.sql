-- Which history this database is (a restored or promoted copy is another), and how far it has come.
SELECT s.system_identifier::text || '.' || c.timeline_id || '.' || d.oid AS database,
       (SELECT coalesce(max(version), 0) FROM route) AS version
FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
WHERE d.datname = current_database()
