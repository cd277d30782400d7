UPDATE pbx_node SET audited_at = clock_timestamp(), drift = %(drift)s WHERE id = %(node_id)s
