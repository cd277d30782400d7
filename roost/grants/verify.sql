-- The verify workers: they compare and set codes, and nobody else writes codes. They see no secret of a node.
GRANT SELECT ON organization, extension, phone, journal, call TO {role};
GRANT UPDATE (code_hash, code_set_at, failed_codes, failed_on, locks, locked_until) ON extension TO {role};
GRANT UPDATE (failed_codes, locks, locked_until) ON phone TO {role};
GRANT INSERT, UPDATE ON call TO {role};
GRANT INSERT ON journal TO {role};
-- Whose code is cleared goes home: that is numbered, and the nodes are woken.
GRANT SELECT ON node_scope, route, route_dirty TO {role};
GRANT SELECT (id, name, kind, enabled, serves_all, next_attempt_at, resync, seen_at) ON pbx_node TO {role};
GRANT DELETE ON route_dirty TO {role};
GRANT INSERT, UPDATE ON route TO {role};
