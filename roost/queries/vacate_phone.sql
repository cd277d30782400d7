UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = %(phone_id)s
