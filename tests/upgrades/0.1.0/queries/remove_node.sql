DELETE FROM pbx_node WHERE name = %(name)s RETURNING id
