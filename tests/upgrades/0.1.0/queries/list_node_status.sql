-- How far each node is. What it lacks, of the organizations it serves, waits at most since it was last seen.
SELECT n.name, n.kind, n.host, n.port, n.enabled, n.applied_version, n.applied_at, n.seen_at, n.audited_at, n.drift,
       n.failures, n.last_error, n.next_attempt_at, n.resync,
       (SELECT count(*) FROM route r
        WHERE r.version > n.applied_version
          AND (n.serves_all OR r.organization_id IN (SELECT s.organization_id FROM node_scope s WHERE s.node_id = n.id)))
           AS behind,
       extract(epoch FROM clock_timestamp() - n.seen_at)::float8 AS seen_ago
FROM pbx_node n
WHERE %(node)s::text IS NULL OR n.name = %(node)s
ORDER BY n.name
