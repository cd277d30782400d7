-- Whether a node may be pushed to now: one that failed is left alone for a while (`mark_node_failed` says for how long).
CREATE OR REPLACE FUNCTION may_be_tried(node pbx_node) RETURNS bool LANGUAGE sql AS $$
    SELECT node.enabled AND (node.next_attempt_at IS NULL OR node.next_attempt_at <= clock_timestamp())
$$;
