-- The next phones that a node with a scope must have, in order of the ids of their own extensions, which are the first column; the others
-- are NULL for an extension whose phone speaks for nobody.
SELECT piece.id, a.phone, a.organization, a.number, a.name, a.account_code, a.mailbox, a.base, a.emergency_number, a.emergency_location
FROM (/* include list_served_ids */) piece
LEFT JOIN LATERAL (SELECT v.* FROM phone p JOIN acts_as v ON v.phone_id = p.id WHERE p.base_id = piece.id OFFSET 0) a ON true
ORDER BY piece.id
