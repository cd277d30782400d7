UPDATE pbx_node
SET applied_version = %(version)s, seen_at = clock_timestamp(), failures = 0, last_error = NULL, next_attempt_at = NULL,
    failing_since = NULL, failure = NULL, resync = false, send_began_at = NULL,
    applied_at = CASE WHEN applied_version = %(version)s THEN applied_at ELSE clock_timestamp() END
WHERE id = %(node_id)s
RETURNING (SELECT coalesce(max(version), 0) FROM route) AS version
