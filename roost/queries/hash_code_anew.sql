-- The same code over another pepper, unless it was replaced meanwhile. The extension is of the phone's organization.
UPDATE extension e SET code_hash = %(code_hash)s
FROM phone p
WHERE p.name = %(phone)s AND e.organization_id = p.organization_id AND e.number = %(number)s AND e.code_hash = %(before)s
