-- The cursor of the database itself: its lineage (a restored or promoted copy is of another one), and its last version. The timeline is that
-- of what is written now: the last checkpoint tells the one before a promotion until a checkpoint is through, for minutes where much is
-- to be written. A standby, which writes nothing, has only that one.
CREATE OR REPLACE FUNCTION read_head(OUT lineage text, OUT version bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    timeline int := CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
                         ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END;
BEGIN
    SELECT s.system_identifier::text || '.' || timeline || '.' || d.oid INTO lineage
    FROM pg_control_system() s, pg_database d
    WHERE d.datname = current_database();
    SELECT coalesce(max(r.version), 0) INTO version FROM route r;
END $$;
