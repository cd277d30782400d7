SELECT id, name, kind, host, port, username, secret, applied_version, failures, true AS due
FROM pbx_node WHERE enabled ORDER BY name
