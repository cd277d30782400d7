SELECT key FROM node_refused_row WHERE node_id = %(node_id)s AND key = ANY (%(keys)s)
