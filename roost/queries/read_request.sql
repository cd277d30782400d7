-- What is recorded under an id that a front door gave: as it is, or as it was bound to the extension whose code was set (bound_ids.py).
SELECT operation, organization, extension, phone, asked_from, outcome, clock_timestamp() - at FROM journal WHERE request_id IN (%(request_id)s, %(asked)s)
UNION ALL
SELECT operation, organization, extension, phone, asked_from, outcome, clock_timestamp() - at FROM journal
WHERE operation = 'set_code' AND request_id ~>=~ %(bound_from)s AND request_id ~<~ %(bound_to)s
