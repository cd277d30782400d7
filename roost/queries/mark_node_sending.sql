-- Notes that the node has another piece of a full send: `keys` more. `keys` NULL: the full send begins.
UPDATE pbx_node
SET seen_at = clock_timestamp(), failures = 0, last_error = NULL, next_attempt_at = NULL, failing_since = NULL, failure = NULL, written_until = NULL,
    resync = false, send_began_at = CASE WHEN %(keys)s::bigint IS NULL THEN clock_timestamp() ELSE send_began_at END,
    send_done = coalesce(send_done + %(keys)s::bigint, 0), send_total = coalesce(%(total)s::bigint, send_total)
WHERE id = %(node_id)s
