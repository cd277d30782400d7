-- Notes rows that the node cannot hold. Of those that are not noted yet, as many as make a thousand in all; the others anew in any case, or
-- they would stay due.
WITH refused AS (
    SELECT key, reason FROM unnest(%(keys)s::text[], %(reasons)s::text[]) AS r (key, reason)
), again AS (
    UPDATE node_refused_row n SET reason = r.reason, due = false FROM refused r WHERE n.node_id = %(node_id)s AND n.key = r.key
    RETURNING n.key
)
INSERT INTO node_refused_row (node_id, key, reason)
SELECT %(node_id)s, key, reason FROM refused WHERE key NOT IN (SELECT key FROM again)
LIMIT greatest(0, 1000 - (SELECT count(*) FROM node_refused_row WHERE node_id = %(node_id)s))
