-- A request that ends without a code: a refusal, or the homecoming of the phone's own extension, which needs none.
CREATE OR REPLACE FUNCTION end_request(
    request asked, seen checked_move, outcome text, organization text, extension text, phone_name text
) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    IF outcome = 'returned' THEN
        UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = seen.base_host_id;
        phone_name := seen.base_host;
    END IF;
    RETURN record_outcome(request, outcome, seen.now, organization, extension, phone_name);
END $$;
