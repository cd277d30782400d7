-- The command line, besides what desk.sql grants: people and tokens are made here, but nobody signs in, so no hash can be read.
-- `roost doctor` logs in to nodes, where it has the private key to open their secrets.
GRANT SELECT (id, login, name, role, organization_id, extension_id, enabled, created_at), INSERT, UPDATE, DELETE ON person TO {role};
GRANT SELECT (person_id), DELETE ON session TO {role};
GRANT SELECT (id, name, organization_id, access, created_at, created_by, expires_at, used_at), INSERT, DELETE ON token TO {role};
GRANT SELECT (secret) ON pbx_node TO {role};
