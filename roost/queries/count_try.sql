UPDATE call SET tries = tries + 1 WHERE id = %(call)s
