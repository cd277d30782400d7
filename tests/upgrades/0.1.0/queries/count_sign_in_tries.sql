-- How many tries there were for the account and from the address, and the seconds until the oldest is forgotten.
WITH recent AS (
    SELECT login, address, at FROM sign_in_try
    WHERE (login = %(login)s OR address = %(address)s) AND at > clock_timestamp() - make_interval(secs => %(window)s)
)
SELECT count(*) FILTER (WHERE login = %(login)s), count(*) FILTER (WHERE address = %(address)s),
       coalesce(extract(epoch FROM min(at) - clock_timestamp()) + %(window)s, 0)::float8
FROM recent
