UPDATE extension e SET failed_codes = 0, locked_until = NULL
FROM organization o
WHERE o.id = e.organization_id AND o.code = %(organization)s AND e.number = %(number)s
RETURNING e.id
