DELETE FROM token WHERE id = %(id)s
