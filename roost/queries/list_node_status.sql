-- How far each node is behind, and what it does. `behind` counts the changes it was not sent yet, of the organizations it serves: each
-- of them waits no longer than `seen_ago`. Beyond 10,000 it is how many versions the node is behind, which nobody counts. `doing` is a full send or an audit that is in progress.
SELECT n.name, n.kind, n.host, n.port, n.enabled, n.applied_version, n.applied_at, n.seen_at, n.audited_at, n.drift,
       n.failures, n.failing_since, n.last_error, n.next_attempt_at, n.resync,
       (SELECT CASE WHEN count(*) < 10000
                    THEN count(*) FILTER (WHERE n.serves_all OR r.organization_id IN (
                             SELECT s.organization_id FROM node_scope s WHERE s.node_id = n.id))
                    ELSE (SELECT max(version) FROM route) - n.applied_version END
        FROM (SELECT organization_id FROM route WHERE version > n.applied_version ORDER BY version LIMIT 10000) r)
           AS behind,
       extract(epoch FROM clock_timestamp() - n.seen_at)::float8 AS seen_ago,
       (SELECT count(*) FROM node_refused_row x WHERE x.node_id = n.id) AS refused_rows,
       CASE WHEN n.send_began_at IS NOT NULL THEN 'send' WHEN a.began_at IS NOT NULL THEN 'audit' END AS doing,
       coalesce(n.send_began_at, a.began_at) AS doing_since,
       CASE WHEN n.send_began_at IS NOT NULL THEN n.send_done ELSE a.keys_done END AS keys_done,
       CASE WHEN n.send_began_at IS NOT NULL THEN n.send_total ELSE a.keys_total END AS keys_total
FROM pbx_node n LEFT JOIN node_audit a ON a.node_id = n.id
WHERE %(node)s::text IS NULL OR n.name = %(node)s
ORDER BY n.name
