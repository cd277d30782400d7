UPDATE pbx_node
SET failures = failures + 1, last_error = %(error)s, next_attempt_at = clock_timestamp() + make_interval(secs => %(delay)s)
WHERE id = %(node_id)s
