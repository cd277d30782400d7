-- Step two: the phone itself and the phones that host the locked extensions, in order of id.
SELECT id FROM phone
WHERE name = %(phone)s
   OR guest_id = (SELECT base_id FROM phone WHERE name = %(phone)s)
   OR guest_id = (SELECT m.id FROM phone p JOIN extension m USING (organization_id)
                  WHERE p.name = %(phone)s AND m.number = %(number)s)
ORDER BY id
FOR NO KEY UPDATE
