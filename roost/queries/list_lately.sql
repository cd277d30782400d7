-- The newest entries of one extension: what list_journal gives without filters, but reading only as far as `entries` demands. Whoever
-- displaced the extension did so on a phone it had moved to, so the phones of its newest moves are enough.
SELECT * FROM (
    (SELECT request_id, at, made_at, origin, actor, operation, organization, extension, phone, outcome, reason, left_phone,
            displaced, asked_from
     FROM journal
     WHERE organization = %(organization)s AND extension = %(number)s
       AND /* include since_it_has_its_code */
     ORDER BY at DESC, request_id DESC LIMIT %(entries)s)
    UNION ALL
    (SELECT j.request_id, j.at, j.made_at, j.origin, j.actor, j.operation, j.organization, j.extension, j.phone, j.outcome,
            j.reason, j.left_phone, j.displaced, j.asked_from
     FROM (SELECT DISTINCT phone
           FROM (SELECT phone FROM journal
                 WHERE organization = %(organization)s AND extension = %(number)s AND outcome = 'virtualized'
                   AND /* include since_it_has_its_code */
                 ORDER BY at DESC LIMIT %(entries)s) moves) lately
     JOIN journal j ON j.phone = lately.phone AND j.organization = %(organization)s AND j.displaced = %(number)s AND /* include since_it_has_its_code */
     ORDER BY j.at DESC, j.request_id DESC LIMIT %(entries)s)
) entries
ORDER BY at DESC, request_id DESC
LIMIT %(entries)s
