-- The last change of who sat on a phone, up to a time. Only moves onto it, off it, and returns change that;
-- a return names the phone that became free.
SELECT at, outcome, organization, extension, phone, left_phone, displaced
FROM journal
WHERE (phone = %(phone)s AND is_move(outcome) OR left_phone = %(phone)s) AND at <= %(at)s
ORDER BY at DESC
LIMIT 1
