-- The proof of a right code, for one request; it also ends the streaks of wrong ones, of its extension and its phone. Two centers may serve one call at once,
-- each with a right try: the later proof does not take the earlier one's place.
CREATE OR REPLACE FUNCTION leave_proof(request text, call_id text, mover bigint, keyed_on bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE call
    SET proof_requests = CASE WHEN proof_extension_id = mover THEN proof_requests END || request,
        proof_extension_id = mover, proof_at = clock_timestamp()
    WHERE id = call_id;
    UPDATE extension SET failed_codes = 0, failed_on = NULL, locks = 0, locked_until = NULL
    WHERE id = mover AND failed_codes + locks > 0;
    UPDATE phone SET failed_codes = 0, locks = 0, locked_until = NULL WHERE id = keyed_on AND failed_codes + locks > 0;
END $$;
