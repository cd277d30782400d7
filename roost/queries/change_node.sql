-- Sets the columns that `changes` names, and lets the next push try at once, also with the rows that the node refused. The secret
-- is not among them (set_node_secret.sql): who changes a node need not be able to read it.
WITH again AS (
    UPDATE node_refused_row r SET due = true FROM pbx_node n WHERE n.name = %(name)s AND r.node_id = n.id
)
UPDATE pbx_node x
SET (host, port, username, options, enabled, next_attempt_at) =
    (SELECT n.host, n.port, n.username, n.options, n.enabled, NULL::timestamptz
     FROM jsonb_populate_record(
         NULL::pbx_node,
         jsonb_build_object('host', x.host, 'port', x.port, 'username', x.username, 'options', x.options, 'enabled', x.enabled) || %(changes)s
     ) n)
WHERE x.name = %(name)s
RETURNING x.id
