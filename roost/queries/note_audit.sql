-- Notes that a piece was compared. Gives no row when another worker has taken this audit over.
UPDATE node_audit
SET seen_at = clock_timestamp(), stage = %(stage)s, after_id = %(after)s, keys_done = keys_done + %(keys)s, drift = drift + %(drift)s
WHERE node_id = %(node_id)s AND began_at = %(began_at)s
RETURNING node_id
