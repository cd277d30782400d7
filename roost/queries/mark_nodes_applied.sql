-- Notes the version that each of these nodes is known to have, and gives the newest that there is by now.
UPDATE pbx_node
SET applied_version = known.version, seen_at = clock_timestamp(), failures = 0, last_error = NULL, next_attempt_at = NULL,
    failing_since = NULL, failure = NULL, resync = false, send_began_at = NULL, written_until = NULL,
    applied_at = CASE WHEN applied_version = known.version THEN applied_at ELSE clock_timestamp() END
FROM unnest(%(node_ids)s::bigint[], %(versions)s::bigint[]) AS known (id, version)
WHERE pbx_node.id = known.id
RETURNING pbx_node.id, (SELECT coalesce(max(route.version), 0) FROM route) AS version
