-- One try at a secret code. The comparison was made before, for it takes long and must hold no lock: `compared` is the hash it was
-- made with (NULL: none was), `is_right` what came of it. The extension's row is locked first, then the phone's and the call's,
-- so that the tries at one extension, on one phone and in one call come one by one; every try is decided once, by the first branch below that applies.
CREATE OR REPLACE FUNCTION try_code(
    request asked, phone_name text, short_number text, call_id text, compared text, is_right bool, nothing_keyed bool,
    tries_per_call int
) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    seen checked_move;
    outcome text;
BEGIN
    PERFORM FROM extension e JOIN phone p USING (organization_id) WHERE p.name = phone_name AND e.number = short_number
    FOR NO KEY UPDATE OF e;
    IF FOUND THEN
        PERFORM FROM phone WHERE name = phone_name FOR NO KEY UPDATE;
        INSERT INTO call (id) VALUES (call_id) ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp();
    END IF;
    SELECT * INTO seen FROM check_move(request.request_id, phone_name, short_number, NULL, call_id, 0);
    IF seen.recorded THEN
        RETURN recorded_answer(request.request_id);
    ELSIF seen.ends_as IS NULL AND compared IS DISTINCT FROM seen.code_hash THEN
        outcome := 'compare_again'; -- the code was replaced meanwhile
    ELSIF is_expired(request, seen.now) THEN
        outcome := 'expired';
    ELSIF seen.ends_as = 'returned' THEN
        outcome := 'code_right'; -- the phone's own extension needs no code: `virtualize` brings it home
    ELSIF seen.ends_as IS NOT NULL THEN
        outcome := seen.ends_as;
    ELSIF seen.tries >= tries_per_call THEN
        outcome := 'dropped'; -- another center had the last try
    ELSIF is_right THEN
        PERFORM leave_proof(request.request_id, call_id, seen.extension_id, seen.phone_id);
        outcome := 'code_right';
    ELSE
        UPDATE call SET tries = tries + 1 WHERE id = call_id;
        IF nothing_keyed THEN -- a try of the call, but no wrong code: nobody guesses by silence
            request.reason := 'nothing_keyed';
        ELSE
            PERFORM count_wrong_code(seen.extension_id, seen.phone_id);
        END IF;
        outcome := CASE WHEN seen.tries + 1 < tries_per_call THEN 'wrong_code' ELSE 'dropped' END;
    END IF;
    IF outcome IN ('code_right', 'compare_again') THEN -- steps on the way to an outcome, which are not written down
        RETURN ROW(outcome, seen.now, seen.organization, short_number, phone_name, NULL)::answer;
    END IF;
    RETURN record_outcome(request, outcome, seen.now, seen.organization, short_number, phone_name);
END $$;
