-- Whoever holds the node's row pushes to it; another who comes meanwhile leaves at once, with a row of NULLs. The head is
-- read after the row is taken: nobody else can bring the node further than that.
CREATE OR REPLACE FUNCTION take_node(
    node text, now_please bool, audit_every float8,
    OUT taken pbx_node, OUT due bool, OUT audit_due bool, OUT lineage text, OUT version bigint
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO taken FROM pbx_node WHERE name = node FOR NO KEY UPDATE SKIP LOCKED;
    due := taken.enabled AND (taken.next_attempt_at IS NULL OR taken.next_attempt_at <= clock_timestamp() OR now_please);
    audit_due := taken.audited_at IS NULL OR taken.audited_at < clock_timestamp() - make_interval(secs => audit_every);
    IF due THEN
        SELECT h.lineage, h.version INTO lineage, version FROM read_head() h;
    END IF;
END $$;
