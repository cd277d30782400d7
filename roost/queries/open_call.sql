-- The call's row, made at the first try and held until the end of the transaction.
INSERT INTO call (id) VALUES (%(call)s)
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()
RETURNING tries
