INSERT INTO pbx_node (name, kind, host, port, username, secret, options)
VALUES (%(name)s, %(kind)s, %(host)s, %(port)s, %(username)s, %(secret)s, %(options)s)
RETURNING id
