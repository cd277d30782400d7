-- Lifts the fence that was put up until then; no row: it ended, and somebody else has written the node, or is about to.
UPDATE pbx_node n SET written_until = NULL
WHERE id = %(node_id)s AND written_until = %(until)s::timestamptz
RETURNING EXISTS (SELECT FROM node_refused_row r WHERE r.node_id = n.id)
