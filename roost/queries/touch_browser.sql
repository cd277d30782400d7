UPDATE known_browser SET used_at = now() WHERE browser = %(browser)s AND person_id = %(person_id)s RETURNING browser
