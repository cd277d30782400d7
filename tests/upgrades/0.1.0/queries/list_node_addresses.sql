SELECT name, kind, host, port, username, secret FROM pbx_node WHERE enabled ORDER BY name
