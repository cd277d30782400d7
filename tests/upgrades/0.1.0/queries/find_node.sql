SELECT id FROM pbx_node WHERE name = %(name)s
