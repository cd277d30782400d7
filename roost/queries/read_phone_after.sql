-- The first change of who sat on a phone, after a time. Each kind is found by its index, however many there are.
SELECT * FROM (
    (SELECT at, outcome, organization, extension, phone, left_phone, displaced FROM journal
     WHERE phone = %(phone)s AND is_move(outcome) AND at > %(at)s ORDER BY at LIMIT 1)
    UNION ALL
    (SELECT at, outcome, organization, extension, phone, left_phone, displaced FROM journal
     WHERE left_phone = %(phone)s AND at > %(at)s ORDER BY at LIMIT 1)
) changes
ORDER BY at
LIMIT 1
