-- Sets the columns that `changes` names, and lets the next push try at once, also with the rows that the node refused.
WITH again AS (
    UPDATE node_refused_row r SET due = true FROM pbx_node n WHERE n.name = %(name)s AND r.node_id = n.id
)
UPDATE pbx_node x
SET (host, port, username, secret, options, enabled, next_attempt_at) =
    (SELECT n.host, n.port, n.username, n.secret, n.options, n.enabled, NULL::timestamptz
     FROM jsonb_populate_record(x, %(changes)s) n)
WHERE x.name = %(name)s
RETURNING x.id
