-- It cannot go on now: whoever comes next may, at once.
UPDATE node_audit SET seen_at = '-infinity' WHERE node_id = %(node_id)s AND began_at = %(began_at)s
