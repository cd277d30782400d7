-- The same of an extension: the newest of each kind by its index, however many there are.
SELECT DISTINCT ON (at, request_id)
       request_id, at, made_at, origin, actor, operation, organization, extension, phone, outcome, reason, left_phone,
       displaced, asked_from
FROM (
    (SELECT * FROM journal
     WHERE organization = %(organization)s AND extension = %(extension)s
       AND /* include journal_matches */
     ORDER BY at DESC, request_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM journal
     WHERE organization = %(organization)s AND displaced = %(extension)s
       AND /* include journal_matches */
     ORDER BY at DESC, request_id DESC LIMIT %(limit)s)
) entries
ORDER BY at DESC, request_id DESC
LIMIT %(limit)s
