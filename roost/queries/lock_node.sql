-- Whoever holds the node's row pushes to it; another who comes meanwhile leaves at once.
SELECT id, name, kind, host, port, username, secret, serves_all, resync, applied_version, failures,
       audited_at IS NULL OR audited_at < clock_timestamp() - make_interval(secs => %(audit_every)s) AS audit_due,
       enabled AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp() OR %(now_please)s) AS due
FROM pbx_node WHERE name = %(node)s
FOR NO KEY UPDATE SKIP LOCKED
