-- The page, the API and the command line: they read and write all that is provisioned, without the secrets. Codes are set and extensions
-- are moved by workers alone, so neither `code_hash` nor `guest_id` can be written here, and of a node's secret nothing can be read.
GRANT SELECT ON organization, organization_change, node_scope, node_audit, node_refused_row, phone, journal, route, route_dirty,
    rings, acts_as TO {role};
GRANT SELECT (id, organization_id, number, name, account_code, mailbox, enabled, allows_virtualization, code_set_at, failed_codes,
              locked_until, max_stay, daily_return, failed_on, locks) ON extension TO {role};
GRANT SELECT (id, name, kind, host, port, username, enabled, serves_all, resync, applied_version, applied_at, seen_at, audited_at,
              drift, failures, last_error, next_attempt_at, failing_since, failure, send_began_at, send_done, send_total, options)
    ON pbx_node TO {role};

GRANT INSERT, UPDATE, DELETE ON organization, node_scope TO {role};
GRANT INSERT, UPDATE ON organization_change TO {role};
GRANT INSERT (organization_id, number, name, account_code, mailbox, enabled, allows_virtualization, max_stay, daily_return),
      UPDATE (name, account_code, mailbox, enabled, allows_virtualization, max_stay, daily_return, failed_codes, failed_on, locks,
              locked_until), DELETE ON extension TO {role};
GRANT INSERT (organization_id, name, node_id, base_id, emergency_number, emergency_location, enabled),
      UPDATE (node_id, base_id, emergency_number, emergency_location, enabled, failed_codes, locks, locked_until), DELETE
    ON phone TO {role};
GRANT INSERT (name, kind, host, port, username, secret, options),
      UPDATE (host, port, username, secret, options, enabled, serves_all, next_attempt_at), DELETE ON pbx_node TO {role};
GRANT INSERT (node_id, requested_at), UPDATE (requested_at) ON node_audit TO {role};
GRANT UPDATE (due) ON node_refused_row TO {role};
-- To unlock leaves a row. What a worker decided is written by workers.
GRANT INSERT (request_id, made_at, origin, actor, operation, organization, extension, phone, outcome) ON journal TO {role};
GRANT EXECUTE ON FUNCTION step_organization TO {role};
