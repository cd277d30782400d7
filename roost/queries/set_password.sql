UPDATE person SET password_hash = %(password_hash)s WHERE login = %(login)s RETURNING id
