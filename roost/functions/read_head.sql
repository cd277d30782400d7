-- The cursor of the database itself: its lineage (a restored or promoted copy is of another one), and its last version.
CREATE OR REPLACE FUNCTION read_head(OUT lineage text, OUT version bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT s.system_identifier::text || '.' || c.timeline_id || '.' || d.oid INTO lineage
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
    WHERE d.datname = current_database();
    SELECT coalesce(max(r.version), 0) INTO version FROM route r;
END $$;
