-- Does one request: locks the rows that decide it, looks, decides and writes.
CREATE OR REPLACE FUNCTION settle_one(one job) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    locked locked_rows;
    seen checked_move;
    made decision;
BEGIN
    locked := lock_for(one);
    SELECT * INTO seen FROM checks_of(one);
    made := decide(one, seen);
    IF NOT (made.saw_phones <@ locked.phones AND made.saw_extensions <@ locked.extensions) THEN
        RAISE lock_not_available; -- another extension or phone than when the rows were locked
    END IF;
    RETURN carry_out_alone(made);
END $$;
