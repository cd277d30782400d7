-- Its guest goes home first: the trigger phone_changed in schema.sql.
DELETE FROM phone WHERE name = %(name)s RETURNING id
