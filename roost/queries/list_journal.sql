-- Journal entries, newest first. Of an extension: those in which it moved, and those in which another displaced it. The latter name
-- a phone that it had moved to, so only entries of such phones are searched for them. Of a phone: also those in which its guest left
-- for another phone, and those that were dialled on it and ended a stay elsewhere.
SELECT request_id, at, made_at, origin, actor, operation, organization, extension, phone, outcome, reason, left_phone,
       displaced, asked_from
FROM journal j
WHERE (%(organization)s::text IS NULL OR organization = %(organization)s)
  AND (%(extension)s::text IS NULL OR extension = %(extension)s
       OR displaced = %(extension)s AND phone = ANY (ARRAY(
              SELECT m.phone FROM journal m WHERE m.organization = %(organization)s AND m.extension = %(extension)s
                                              AND m.outcome = 'virtualized')))
  AND (%(phone)s::text IS NULL OR phone = %(phone)s OR left_phone = %(phone)s
       OR asked_from = %(phone)s AND asked_from <> phone)
  AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR (at, request_id) < (%(until)s, %(before_id)s))
ORDER BY at DESC, request_id DESC
LIMIT %(limit)s
