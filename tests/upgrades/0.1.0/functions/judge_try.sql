-- One try at a secret code, after the comparison, which takes long and holds no lock: `compared` is the hash it was made with
-- (NULL: none was), `is_right` what came of it. `compare_again` says that this is not the code that counts any more. A right try
-- leaves the proof that `virtualize` demands, and is recorded there. Tries of one call, and of one extension, come one by one.
CREATE OR REPLACE FUNCTION judge_try(
    request asked, phone_name text, short_number text, call_id text, compared text, is_right bool, tries_per_call int
) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    seen scene;
    outcome text;
BEGIN
    PERFORM FROM extension e JOIN phone p USING (organization_id) WHERE p.name = phone_name AND e.number = short_number
    FOR NO KEY UPDATE OF e;
    IF FOUND THEN
        INSERT INTO call (id) VALUES (call_id) ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp();
    END IF;
    seen := read_scene(request.request_id, phone_name, short_number, NULL, call_id, 0);
    outcome := CASE
        WHEN seen.ends_as IS NULL AND compared IS DISTINCT FROM seen.code_hash THEN 'compare_again'
        WHEN is_expired(request, seen.now) THEN 'expired'
        WHEN seen.ends_as = 'returned' THEN 'code_right' -- the phone's own extension needs none: `virtualize` brings it home
        WHEN seen.ends_as IS NOT NULL THEN seen.ends_as
        WHEN seen.tries >= tries_per_call THEN 'dropped'
        WHEN is_right THEN 'code_right'
        WHEN seen.tries + 1 >= tries_per_call THEN 'dropped'
        ELSE 'wrong_code'
    END;
    IF seen.recorded THEN
        RETURN recorded_answer(request.request_id);
    ELSIF outcome = 'code_right' AND seen.ends_as IS NULL THEN
        PERFORM leave_proof(request.request_id, call_id, seen.extension_id);
    ELSIF seen.ends_as IS NULL AND seen.tries < tries_per_call AND outcome IN ('wrong_code', 'dropped') THEN
        PERFORM count_wrong_code(call_id, seen.extension_id);
    END IF;
    IF outcome IN ('code_right', 'compare_again') THEN
        RETURN ROW(outcome, seen.now, seen.organization, short_number, phone_name, NULL)::answer;
    END IF;
    RETURN record_outcome(request, outcome, seen.now, seen.organization, short_number, phone_name);
END $$;
