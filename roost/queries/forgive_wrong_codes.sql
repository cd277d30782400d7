UPDATE extension SET failed_codes = 0, locked_until = NULL WHERE id = %(extension_id)s AND failed_codes > 0
