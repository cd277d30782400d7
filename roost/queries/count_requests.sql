-- How many requests there were in each of the last seconds, by operation and outcome. The time is that of the statement (read_beat.sql).
SELECT extract(epoch FROM date_trunc('second', at))::bigint AS second, operation, outcome, count(*)::int AS requests
FROM journal
WHERE at > statement_timestamp() - make_interval(secs => %(seconds)s)
GROUP BY 1, 2, 3
ORDER BY 1
