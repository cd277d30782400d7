-- How long the requests of one closed second took, from asking to being recorded.
SELECT operation, outcome, greatest(0, extract(epoch FROM at - made_at))::float8 AS seconds
FROM journal
WHERE at >= to_timestamp(%(start)s) AND at < to_timestamp(%(stop)s)
LIMIT 100000
