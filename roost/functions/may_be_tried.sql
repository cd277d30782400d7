-- Whether a node may be pushed to now: one that failed is left alone for a while (`mark_node_failed` says for how long), never longer than
-- `longest_delay` seconds. Longer waits whoever failed before the clock was set back.
CREATE OR REPLACE FUNCTION may_be_tried(node_enabled bool, node_next_attempt_at timestamptz, longest_delay float8) RETURNS bool LANGUAGE sql AS $$
    SELECT node_enabled AND (node_next_attempt_at IS NULL OR node_next_attempt_at <= clock_timestamp()
                             OR node_next_attempt_at > clock_timestamp() + make_interval(secs => longest_delay))
$$;
