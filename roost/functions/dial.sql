-- A call to the Center: `*30` alone, or with a number.
CREATE OR REPLACE FUNCTION dial(request asked, phone_name text, short_number text) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE seen checked_move;
BEGIN
    PERFORM lock_move(phone_name, short_number);
    SELECT * INTO seen FROM check_move(request.request_id, phone_name, short_number, NULL, NULL, 0);
    RETURN carry_out_alone(decide_dial(request, seen, phone_name, short_number));
END $$;
