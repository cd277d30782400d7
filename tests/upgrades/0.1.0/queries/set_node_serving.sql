UPDATE pbx_node SET serves_all = %(serves_all)s WHERE name = %(node)s AND serves_all <> %(serves_all)s
