-- What becomes of a request to put an extension on a phone: it leaves the phone it was on, a displaced guest goes home, it sits here. A call
-- needs the proof of its code, left by a right try under the same request id; an administrator does not.
CREATE OR REPLACE FUNCTION decide_virtualize(
    request asked, seen checked_move, phone_name text, short_number text, organization_named text
) RETURNS decision LANGUAGE plpgsql STABLE AS $$
DECLARE
    outcome text;
    organization text;
    made decision;
BEGIN
    organization := coalesce(organization_named, seen.organization);
    outcome := CASE
        WHEN is_expired(request, seen.now) THEN 'expired'
        WHEN seen.ends_as IN ('locked', 'phone_locked') AND request.origin <> 'call' THEN 'virtualized' -- wrong codes of others stop no administrator
        WHEN seen.ends_as IS NOT NULL THEN seen.ends_as
        WHEN request.origin = 'call' AND NOT seen.proved THEN 'wrong_code'
        WHEN request.origin = 'call' AND NOT seen.proof_fresh THEN 'expired'
        ELSE 'virtualized'
    END;
    IF seen.recorded THEN
        made := recorded(request);
    ELSIF outcome <> 'virtualized' THEN
        made := decide_end(request, seen, outcome, organization, short_number, phone_name);
    ELSE
        made := ROW(request, outcome, seen.now, organization, short_number, phone_name, seen.host, seen.guest_number,
                    true, seen.host_id, seen.phone_id, seen.extension_id, NULL, NULL);
    END IF;
    RETURN made;
END $$;
