-- Puts an extension on a phone: it leaves the phone it was on, a displaced guest goes home, it sits here. A call needs the
-- proof of its code, left by a right try under the same request id; an administrator does not.
CREATE OR REPLACE FUNCTION virtualize(
    request asked, phone_name text, short_number text, organization_named text, call_id text, proof_lifetime float8
) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    seen checked_move;
    outcome text;
    organization text;
BEGIN
    seen := lock_and_check_move(request.request_id, phone_name, short_number, organization_named, call_id, proof_lifetime);
    organization := coalesce(organization_named, seen.organization);
    outcome := CASE
        WHEN seen.recorded THEN NULL
        WHEN is_expired(request, seen.now) THEN 'expired'
        WHEN seen.ends_as IN ('locked', 'phone_locked') AND request.origin <> 'call' THEN 'virtualized' -- wrong codes of others stop no administrator
        WHEN seen.ends_as IS NOT NULL THEN seen.ends_as
        WHEN request.origin = 'call' AND NOT seen.proved THEN 'wrong_code'
        WHEN request.origin = 'call' AND NOT seen.proof_fresh THEN 'expired'
        ELSE 'virtualized'
    END;
    IF seen.recorded THEN
        RETURN recorded_answer(request.request_id);
    ELSIF outcome <> 'virtualized' THEN
        RETURN end_request(request, seen, outcome, organization, short_number, phone_name);
    END IF;
    IF seen.host_id IS NOT NULL THEN
        UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = seen.host_id;
    END IF;
    UPDATE phone SET guest_id = seen.extension_id, guest_since = clock_timestamp() WHERE id = seen.phone_id;
    RETURN record_outcome(request, 'virtualized', seen.now, organization, short_number, phone_name,
                          seen.host, seen.guest_number);
END $$;
