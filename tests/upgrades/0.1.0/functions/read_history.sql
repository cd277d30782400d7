-- Which history this database is (a restored or promoted copy is another), and how far it has come.
CREATE OR REPLACE FUNCTION read_history(OUT database text, OUT version bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT s.system_identifier::text || '.' || c.timeline_id || '.' || d.oid INTO database
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
    WHERE d.datname = current_database();
    SELECT coalesce(max(r.version), 0) INTO version FROM route r;
END $$;
