UPDATE organization SET enabled = %(enabled)s WHERE code = %(code)s AND enabled <> %(enabled)s
