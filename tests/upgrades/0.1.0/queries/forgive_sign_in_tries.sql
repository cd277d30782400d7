DELETE FROM sign_in_try WHERE login = %(login)s
