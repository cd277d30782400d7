-- A call to the Center. `*30` alone: the guest of this phone returns, else its own extension comes home. With a number:
-- a refusal, or `code_needed`, which is a step and not recorded.
CREATE OR REPLACE FUNCTION dial(request asked, phone_name text, short_number text) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE seen checked_move;
BEGIN
    seen := lock_and_check_move(request.request_id, phone_name, short_number, NULL, NULL, 0);
    IF seen.recorded THEN
        RETURN recorded_answer(request.request_id);
    ELSIF is_expired(request, seen.now) THEN
        RETURN record_outcome(request, 'expired', seen.now, seen.organization, nullif(short_number, ''), phone_name);
    ELSIF short_number <> '' AND seen.ends_as IS NULL THEN
        RETURN ROW('code_needed', seen.now, seen.organization, short_number, phone_name, NULL)::answer;
    ELSIF short_number <> '' OR seen.ends_as = 'unknown_phone' THEN
        RETURN end_request(request, seen, seen.ends_as, seen.organization, nullif(short_number, ''), phone_name);
    ELSIF seen.guest_id IS NOT NULL THEN
        UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = seen.phone_id;
        RETURN record_outcome(request, 'returned', seen.now, seen.organization, seen.guest_number, phone_name);
    END IF;
    RETURN end_request(request, seen, CASE WHEN seen.base_host_id IS NULL THEN 'nothing_to_return' ELSE 'returned' END,
                       seen.organization, seen.base_number, phone_name);
END $$;
