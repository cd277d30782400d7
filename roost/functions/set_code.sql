-- Sets, replaces or (`new_hash` NULL) clears a secret code. A new code, or none, also ends a lock. A weak
-- code is one that everybody tries first. `compare_again`: the request is recorded as one that set a code, and whoever has the digits
-- must see whether it was this one.
CREATE OR REPLACE FUNCTION set_code(request asked, organization_code text, short_number text, new_hash text, is_weak bool)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    known bool;
    too_weak bool;
    now timestamptz;
    outcome text;
    found answer;
BEGIN
    SELECT e.id, e.enabled AND o.enabled, is_weak AND NOT o.allows_weak_codes INTO owner, known, too_weak
    FROM extension e JOIN organization o ON o.id = e.organization_id
    WHERE o.code = organization_code AND e.number = short_number
    FOR NO KEY UPDATE OF e;
    now := clock_timestamp();
    IF EXISTS (SELECT FROM journal WHERE request_id = request.request_id) THEN
        found := recorded_answer(request.request_id);
        found.outcome := CASE WHEN found.outcome = 'code_set' THEN 'compare_again' ELSE found.outcome END;
        RETURN found;
    END IF;
    outcome := CASE
        WHEN is_expired(request, now) THEN 'expired'
        WHEN known IS NOT TRUE THEN 'unknown_extension'
        WHEN too_weak THEN 'weak_code'
        WHEN new_hash IS NULL THEN 'code_cleared'
        ELSE 'code_set'
    END;
    IF outcome IN ('code_set', 'code_cleared') THEN
        UPDATE extension
        SET code_hash = new_hash, code_set_at = CASE WHEN new_hash IS NOT NULL THEN now END,
            failed_codes = 0, failed_on = NULL, locks = 0, locked_until = NULL
        WHERE id = owner;
    END IF;
    RETURN record_outcome(request, outcome, now, organization_code, short_number, NULL);
END $$;
