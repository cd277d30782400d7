-- Tries of the last time that were not forgiven: those of a browser that this person has signed in with before; or of strangers,
-- at this account from this address, at this account, and from this address. Each with the seconds since the last one. Those that are still to come, since the clock was set back, would
-- have everybody wait until then.
WITH known AS (
    SELECT count(*) > 0 AS known FROM known_browser k JOIN person p ON p.id = k.person_id
    WHERE k.browser = %(browser)s AND p.login = %(login)s
), recent AS (
    SELECT t.login = %(login)s AS of_login, t.address = %(address)s AS of_address,
           extract(epoch FROM clock_timestamp() - t.at)::float8 AS ago
    FROM sign_in_try t
    WHERE NOT (SELECT known FROM known) AND t.browser IS NULL AND (t.login = %(login)s OR t.address = %(address)s)
      AND t.at > clock_timestamp() - make_interval(secs => %(memory)s) AND t.at <= clock_timestamp()
    UNION ALL
    SELECT true, true, extract(epoch FROM clock_timestamp() - t.at)::float8
    FROM sign_in_try t
    WHERE (SELECT known FROM known) AND t.browser = %(browser)s AND t.login = %(login)s
      AND t.at > clock_timestamp() - make_interval(secs => %(memory)s) AND t.at <= clock_timestamp()
)
SELECT (SELECT known FROM known),
       count(*) FILTER (WHERE of_login AND of_address), coalesce(min(ago) FILTER (WHERE of_login AND of_address), 0),
       count(*) FILTER (WHERE of_login), coalesce(min(ago) FILTER (WHERE of_login), 0),
       count(*) FILTER (WHERE of_address), coalesce(min(ago) FILTER (WHERE of_address), 0)
FROM recent
