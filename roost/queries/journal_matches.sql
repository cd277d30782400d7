-- Whether a row of the journal matches the filters of a listing: a condition that other statements include. Of an extension: entries in
-- which it moved, and in which another displaced it. Of a phone: also those in which its guest left for another phone, and those that
-- were dialled on it and ended a stay elsewhere. `until` and `before_id` are where the page before ended.
(%(organization)s::text IS NULL OR organization = %(organization)s)
  AND /* include since_it_has_its_code */
  AND (%(extension)s::text IS NULL OR extension = %(extension)s OR displaced = %(extension)s)
  AND (%(phone)s::text IS NULL OR phone = %(phone)s OR left_phone = %(phone)s
       OR asked_from = %(phone)s AND asked_from <> phone)
  AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR (at, request_id) < (%(until)s, %(before_id)s))
