UPDATE organization SET code = %(new)s, code_since = clock_timestamp() WHERE code = %(code)s RETURNING id
