UPDATE organization SET code = %(new)s WHERE code = %(code)s RETURNING id
