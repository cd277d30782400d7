-- Step one of a move: the extensions whose whereabouts are decided here, always in order of id.
-- Who holds an extension's row decides where it goes; nobody else can move it until then.
SELECT e.id FROM extension e
WHERE e.id = (SELECT base_id FROM phone WHERE name = %(phone)s)
   OR e.id = (SELECT m.id FROM phone p JOIN extension m USING (organization_id)
              WHERE p.name = %(phone)s AND m.number = %(number)s)
ORDER BY e.id
FOR NO KEY UPDATE
