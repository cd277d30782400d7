-- Gives up an audit: `seen_at` is set so far back that another worker may go on with it at once.
UPDATE node_audit SET seen_at = '-infinity' WHERE node_id = %(node_id)s AND began_at = %(began_at)s
