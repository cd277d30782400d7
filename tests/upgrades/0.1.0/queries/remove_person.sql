DELETE FROM person WHERE login = %(login)s RETURNING id
