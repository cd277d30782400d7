-- Sets the columns that `changes` names, and lets the next push try at once.
UPDATE pbx_node x
SET (host, port, username, secret, enabled, next_attempt_at) =
    (SELECT n.host, n.port, n.username, n.secret, n.enabled, NULL::timestamptz
     FROM jsonb_populate_record(x, %(changes)s) n)
WHERE x.name = %(name)s
RETURNING x.id
