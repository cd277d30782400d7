-- What becomes of a call to the Center. `*30` alone: the guest of this phone returns, else its own extension comes home. With a number:
-- a refusal, or `code_needed`, which is a step and not recorded.
CREATE OR REPLACE FUNCTION decide_dial(request asked, seen checked_move, phone_name text, short_number text)
RETURNS decision LANGUAGE plpgsql STABLE AS $$
DECLARE made decision;
BEGIN
    IF seen.recorded THEN
        made := recorded(request);
    ELSIF is_expired(request, seen.now) THEN
        made := decide_end(request, seen, 'expired', seen.organization, nullif(short_number, ''), phone_name);
    ELSIF short_number <> '' AND seen.ends_as IS NULL THEN
        made := decide_end(request, seen, 'code_needed', seen.organization, short_number, phone_name);
        made.is_news := false;
    ELSIF short_number <> '' OR seen.ends_as = 'unknown_phone' THEN
        made := decide_end(request, seen, seen.ends_as, seen.organization, nullif(short_number, ''), phone_name);
    ELSIF seen.guest_id IS NOT NULL THEN
        made := ROW(request, 'returned', seen.now, seen.organization, seen.guest_number, phone_name, NULL, NULL,
                    true, seen.phone_id, NULL, NULL, NULL, NULL);
    ELSE
        made := decide_end(request, seen, CASE WHEN seen.base_host_id IS NULL THEN 'nothing_to_return' ELSE 'returned' END,
                           seen.organization, seen.base_number, phone_name);
    END IF;
    RETURN made;
END $$;
