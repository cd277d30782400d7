-- The same of a phone: the newest of each kind by its index, however many there are.
SELECT DISTINCT ON (at, request_id)
       request_id, at, made_at, origin, actor, operation, organization, extension, phone, outcome, reason, left_phone,
       displaced, asked_from
FROM (
    (SELECT * FROM journal
     WHERE phone = %(phone)s
       AND /* include journal_matches */
     ORDER BY at DESC, request_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM journal
     WHERE left_phone = %(phone)s
       AND /* include journal_matches */
     ORDER BY at DESC, request_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM journal
     WHERE asked_from = %(phone)s AND asked_from <> phone
       AND /* include journal_matches */
     ORDER BY at DESC, request_id DESC LIMIT %(limit)s)
) entries
ORDER BY at DESC, request_id DESC
LIMIT %(limit)s
