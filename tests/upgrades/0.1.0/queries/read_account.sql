SELECT id, password_hash FROM person WHERE login = %(login)s AND enabled
