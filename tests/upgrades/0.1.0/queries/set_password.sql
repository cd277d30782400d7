WITH ended AS (DELETE FROM session s USING person p WHERE p.id = s.person_id AND p.login = %(login)s)
UPDATE person SET password_hash = %(password_hash)s WHERE login = %(login)s RETURNING id
