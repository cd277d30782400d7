-- The newest entries of one extension: as list_journal, without its filters, and read no further than it must. Whoever
-- displaced it among the newest entries did so on a phone of one of its own newest moves.
SELECT * FROM (
    (SELECT request_id, at, made_at, origin, actor, operation, organization, extension, phone, outcome, reason, left_phone,
            displaced, asked_from
     FROM journal
     WHERE organization = %(organization)s AND extension = %(number)s
     ORDER BY at DESC, request_id DESC LIMIT %(entries)s)
    UNION ALL
    (SELECT j.request_id, j.at, j.made_at, j.origin, j.actor, j.operation, j.organization, j.extension, j.phone, j.outcome,
            j.reason, j.left_phone, j.displaced, j.asked_from
     FROM (SELECT DISTINCT phone
           FROM (SELECT phone FROM journal
                 WHERE organization = %(organization)s AND extension = %(number)s AND outcome = 'virtualized'
                 ORDER BY at DESC LIMIT %(entries)s) moves) lately
     JOIN journal j ON j.phone = lately.phone AND j.organization = %(organization)s AND j.displaced = %(number)s
     ORDER BY j.at DESC, j.request_id DESC LIMIT %(entries)s)
) entries
ORDER BY at DESC, request_id DESC
LIMIT %(entries)s
