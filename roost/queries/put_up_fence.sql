-- Whoever comes to one of these nodes finds its row held, for so many seconds after this transaction, or until the fence is lifted.
UPDATE pbx_node SET written_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE id = ANY (%(node_ids)s)
RETURNING id, written_until
