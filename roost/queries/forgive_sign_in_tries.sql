-- A right password forgets the tries of that browser, or from that address; those of strangers elsewhere still count.
DELETE FROM sign_in_try WHERE login = %(login)s AND (browser = %(browser)s OR browser IS NULL AND address = %(address)s)
