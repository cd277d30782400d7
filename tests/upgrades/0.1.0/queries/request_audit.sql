-- The next push of these nodes compares their whole table.
UPDATE pbx_node SET audited_at = NULL, next_attempt_at = NULL
WHERE enabled AND (%(node)s::text IS NULL OR name = %(node)s)
RETURNING name
