UPDATE pbx_node
SET written_until = NULL, failures = failures + 1, last_error = %(error)s, failure = %(failure)s,
    failing_since = CASE WHEN failure = %(failure)s THEN failing_since ELSE clock_timestamp() END,
    next_attempt_at = clock_timestamp() + make_interval(secs => %(delay)s)
WHERE id = %(node_id)s
