-- Puts an extension on a phone, or refuses to.
CREATE OR REPLACE FUNCTION virtualize(
    request asked, phone_name text, short_number text, organization_named text, call_id text, proof_lifetime float8
) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE seen checked_move;
BEGIN
    PERFORM lock_move(phone_name, short_number);
    SELECT * INTO seen FROM check_move(request.request_id, phone_name, short_number, organization_named, call_id, proof_lifetime);
    RETURN carry_out_alone(decide_virtualize(request, seen, phone_name, short_number, organization_named));
END $$;
