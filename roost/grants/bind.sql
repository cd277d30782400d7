-- The bind workers: they move extensions, end stays, number changes, and prune the journal. They see no secret of a node, no
-- person and no token.
GRANT SELECT ON organization, extension, phone, node_scope, journal, call, route, route_dirty TO {role};
GRANT SELECT (id, name, kind, enabled, serves_all, resync, seen_at, next_attempt_at) ON pbx_node TO {role};
GRANT UPDATE (guest_id, guest_since) ON phone TO {role};
-- To lock a row takes the right to write some column of it; none of these is written.
GRANT UPDATE (failed_on) ON extension TO {role};
GRANT UPDATE (seen_at) ON call TO {role};
GRANT UPDATE (expires_at) ON journal TO {role};
GRANT INSERT, DELETE ON journal TO {role};
GRANT DELETE ON call, route_dirty TO {role};
GRANT INSERT, UPDATE ON route TO {role};
