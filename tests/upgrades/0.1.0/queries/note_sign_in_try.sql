WITH forgotten AS (DELETE FROM sign_in_try WHERE at < clock_timestamp() - make_interval(secs => %(window)s))
INSERT INTO sign_in_try (login, address) VALUES (%(login)s, %(address)s)
