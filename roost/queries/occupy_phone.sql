UPDATE phone SET guest_id = %(extension_id)s, guest_since = clock_timestamp() WHERE id = %(phone_id)s
