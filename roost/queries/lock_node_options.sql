-- What a change of options starts from; nobody else changes them meanwhile.
SELECT kind, port, username, options FROM pbx_node WHERE name = %(name)s FOR NO KEY UPDATE
