-- How long each request took from being asked to being recorded, for one second that is over.
SELECT operation, outcome, greatest(0, extract(epoch FROM at - made_at))::float8 AS seconds
FROM journal
WHERE at >= to_timestamp(%(start)s) AND at < to_timestamp(%(stop)s)
LIMIT 100000
