-- The columns of take_node.sql without locking the row, for an audit, which must not stop pushes.
SELECT n.id, n.name, n.kind, n.host, n.port, n.username, n.secret, n.options, n.serves_all, n.resync, n.applied_version,
       n.failures, n.failing_since, n.failure, n.enabled AS due, true AS audit_due, false AS has_refused, false AS refused_due, h.lineage, h.version
FROM pbx_node n, read_head() h WHERE n.name = %(node)s
