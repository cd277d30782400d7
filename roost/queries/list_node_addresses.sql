SELECT name, kind, host, port, username, secret, options FROM pbx_node WHERE enabled ORDER BY name
