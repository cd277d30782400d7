-- Journal entries, newest first.
SELECT request_id, at, made_at, origin, actor, operation, organization, extension, phone, outcome, reason, left_phone,
       displaced, asked_from
FROM journal
WHERE /* include journal_matches */
ORDER BY at DESC, request_id DESC
LIMIT %(limit)s
