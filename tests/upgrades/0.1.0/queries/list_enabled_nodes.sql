SELECT name FROM pbx_node WHERE enabled ORDER BY name
