-- Locks the row of a node that is to be pushed to, and says what is to be done there. When another push holds the row or is late
-- (`written_until`), or the node does not exist, every column is NULL, at once. The version of the database is read after the lock is held, so the node cannot be
-- further than that. An audit is due when one was requested and none is in progress, when the last one ended `audit_every` seconds ago, or as many as
-- `audit_often` has for its kind, and when one that began has made no progress for `audit_silence` seconds. A clock that was set back
-- leaves times behind that are still to come: none of them keeps a node waiting.
CREATE OR REPLACE FUNCTION take_node(
    node text, now_please bool, audit_every float8, audit_often jsonb, audit_silence float8, longest_delay float8,
    OUT taken pbx_node, OUT due bool, OUT audit_due bool, OUT has_refused bool, OUT refused_due bool,
    OUT lineage text, OUT version bigint
) LANGUAGE plpgsql AS $$
DECLARE
    audit node_audit;
    often float8;
BEGIN
    SELECT * INTO taken FROM pbx_node
    WHERE name = node AND coalesce(written_until <= clock_timestamp() OR written_until > clock_timestamp() + interval '2 days', true) FOR NO KEY UPDATE SKIP LOCKED;
    due := may_be_tried(taken.enabled, taken.next_attempt_at, longest_delay) OR now_please AND taken.enabled;
    IF due THEN
        SELECT * INTO audit FROM node_audit WHERE node_id = taken.id;
        often := least(audit_every, (audit_often ->> taken.kind)::float8);
        audit_due := audit.began_at IS NULL AND audit.requested_at IS NOT NULL
            OR audit.began_at IS NOT NULL AND (audit.seen_at < clock_timestamp() - make_interval(secs => audit_silence) OR audit.seen_at > clock_timestamp())
            OR audit.began_at IS NULL AND (taken.audited_at IS NULL
                                           OR taken.audited_at < clock_timestamp() - make_interval(secs => often)
                                           OR taken.audited_at > clock_timestamp());
        SELECT count(*) > 0, coalesce(bool_or(r.due), false) INTO has_refused, refused_due
        FROM node_refused_row r WHERE r.node_id = taken.id;
        SELECT h.lineage, h.version INTO lineage, version FROM read_head() h;
    END IF;
END $$;
