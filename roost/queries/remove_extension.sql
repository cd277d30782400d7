-- Its guests and itself go home first: the trigger extension_removed in schema.sql.
DELETE FROM extension e USING organization o
WHERE o.id = e.organization_id AND o.code = %(organization)s AND e.number = %(number)s
RETURNING e.id
