-- The push workers: they tell nodes what the views show, and note in the nodes' rows how far they are. They move nobody and see no code;
-- the steps of a large organization that they take were begun by somebody else.
GRANT SELECT ON rings, acts_as, route, route_dirty, node_scope, pbx_node, node_audit, node_refused_row, organization_change TO {role};
GRANT SELECT (id, code) ON organization TO {role};
GRANT SELECT (id, organization_id) ON extension TO {role};
GRANT SELECT (id, organization_id, base_id) ON phone TO {role};
GRANT UPDATE (resync, applied_version, applied_at, seen_at, audited_at, drift, failures, last_error, next_attempt_at, failing_since,
              failure, send_began_at, send_done, send_total, written_until) ON pbx_node TO {role};
GRANT INSERT, UPDATE ON node_audit, route TO {role};
GRANT INSERT, UPDATE, DELETE ON node_refused_row TO {role};
GRANT DELETE ON route_dirty TO {role};
GRANT EXECUTE ON FUNCTION step_organization TO {role};
