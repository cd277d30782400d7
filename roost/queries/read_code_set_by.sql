-- The hash of the code that this request has set, while that is the code of its extension: the journal's row is written after `code_set_at`
-- is taken, in one transaction, which holds the extension's row; a later one sets a later time.
SELECT e.code_hash
FROM journal j JOIN organization o ON o.code = j.organization JOIN extension e ON e.organization_id = o.id AND e.number = j.extension
WHERE j.request_id = %(request_id)s AND j.outcome = 'code_set' AND j.at >= e.code_set_at
