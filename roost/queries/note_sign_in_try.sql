WITH forgotten AS (DELETE FROM sign_in_try WHERE at < clock_timestamp() - make_interval(secs => %(memory)s))
INSERT INTO sign_in_try (login, address, browser)
VALUES (%(login)s, %(address)s, CASE WHEN %(known)s THEN %(browser)s::bytea END)
