UPDATE person SET enabled = %(enabled)s WHERE login = %(login)s RETURNING id
