-- Some of the rows that are to be tried again, and they are due no more: whatever becomes of them, each is tried once.
UPDATE node_refused_row SET due = false
WHERE node_id = %(node_id)s AND key = ANY (ARRAY(
    SELECT key FROM node_refused_row WHERE node_id = %(node_id)s AND due ORDER BY key LIMIT %(most)s))
RETURNING key
