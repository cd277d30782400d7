UPDATE call SET proof_request = %(request_id)s, proof_extension_id = %(extension_id)s, proof_at = clock_timestamp()
WHERE id = %(call)s
