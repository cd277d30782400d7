DELETE FROM phone WHERE name = %(name)s RETURNING id
