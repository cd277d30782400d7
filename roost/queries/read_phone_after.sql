-- The first change of who sat on a phone, after a time.
SELECT at, outcome, organization, extension, phone, left_phone, displaced
FROM journal
WHERE (phone = %(phone)s AND is_move(outcome) OR left_phone = %(phone)s) AND at > %(at)s
ORDER BY at
LIMIT 1
