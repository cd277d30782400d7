-- Ends an audit. Whoever asked for one since it began is not answered by it: `audited_at` is no later than the first such request.
WITH ended AS (
    UPDATE node_audit SET began_at = NULL WHERE node_id = %(node_id)s AND began_at = %(began_at)s
    RETURNING node_id, drift, requested_at)
UPDATE pbx_node n SET audited_at = least(clock_timestamp(), ended.requested_at), drift = ended.drift FROM ended WHERE n.id = ended.node_id RETURNING n.drift
