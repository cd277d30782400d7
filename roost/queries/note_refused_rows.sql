-- Notes rows that the node cannot hold, at most a thousand in all.
INSERT INTO node_refused_row (node_id, key, reason)
SELECT %(node_id)s, key, reason FROM unnest(%(keys)s::text[], %(reasons)s::text[]) AS r (key, reason)
LIMIT greatest(0, 1000 - (SELECT count(*) FROM node_refused_row WHERE node_id = %(node_id)s))
ON CONFLICT (node_id, key) DO UPDATE SET reason = excluded.reason, due = false
