WITH ended AS (
    UPDATE node_audit SET began_at = NULL WHERE node_id = %(node_id)s AND began_at = %(began_at)s AND requested_at IS NULL
    RETURNING node_id, drift)
UPDATE pbx_node n SET audited_at = clock_timestamp(), drift = ended.drift FROM ended WHERE n.id = ended.node_id RETURNING n.drift
