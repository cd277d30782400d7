-- The next push of these nodes has their whole table compared, from the start. A node whose row is held is being pushed to, so its
-- next attempt is not far.
WITH asked AS (
    INSERT INTO node_audit (node_id, requested_at)
    SELECT id, clock_timestamp() FROM pbx_node WHERE enabled AND (%(node)s::text IS NULL OR name = %(node)s)
    ON CONFLICT (node_id) DO UPDATE SET requested_at = excluded.requested_at
    RETURNING node_id, requested_at
), again AS (
    UPDATE pbx_node SET next_attempt_at = NULL
    WHERE id IN (SELECT id FROM pbx_node WHERE id IN (SELECT node_id FROM asked) AND next_attempt_at IS NOT NULL
                 FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT n.name, a.requested_at FROM asked a JOIN pbx_node n ON n.id = a.node_id ORDER BY n.name
