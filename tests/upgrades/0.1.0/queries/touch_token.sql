UPDATE token SET used_at = now() WHERE id = %(id)s
