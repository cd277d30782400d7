SELECT p.id FROM phone p JOIN extension e ON e.id = p.guest_id JOIN organization o ON o.id = e.organization_id
WHERE o.code = %(organization)s AND e.number = %(number)s
FOR NO KEY UPDATE OF p
