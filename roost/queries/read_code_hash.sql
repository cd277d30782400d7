-- The hash that a try is to be compared with; NULL when the request ends without a comparison, or is recorded already.
SELECT CASE WHEN NOT s.recorded AND s.ends_as IS NULL THEN s.code_hash END
FROM check_move(%(request_id)s, %(phone)s, %(number)s, NULL, NULL, 0) s
