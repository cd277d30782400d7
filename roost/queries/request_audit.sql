-- Asks for an audit of these nodes, from the start, and lets their next push try at once. One that is in progress goes on, and is followed
-- by one more, however many ask meanwhile: each is given the time of the first of them. A row that is locked is skipped: that node is
-- being pushed to now.
WITH asked AS (
    INSERT INTO node_audit (node_id, requested_at)
    SELECT id, clock_timestamp() FROM pbx_node WHERE enabled AND (%(node)s::text IS NULL OR name = %(node)s)
    ON CONFLICT (node_id) DO UPDATE SET requested_at = least(node_audit.requested_at, excluded.requested_at)
    RETURNING node_id, requested_at
), again AS (
    UPDATE pbx_node SET next_attempt_at = NULL
    WHERE id IN (SELECT id FROM pbx_node WHERE id IN (SELECT node_id FROM asked) AND next_attempt_at IS NOT NULL
                 FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT n.name, a.requested_at FROM asked a JOIN pbx_node n ON n.id = a.node_id ORDER BY n.name
