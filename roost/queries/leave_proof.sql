-- Two centers may serve one call at once, each with a right try: the later proof does not take the earlier one's place.
UPDATE call
SET proof_requests = CASE WHEN proof_extension_id = %(extension_id)s THEN proof_requests END || %(request_id)s::text,
    proof_extension_id = %(extension_id)s, proof_at = clock_timestamp()
WHERE id = %(call)s
