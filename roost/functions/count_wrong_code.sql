-- A wrong code counts for its call, and in the streak of wrong codes of its extension. The lock starts a new streak.
CREATE OR REPLACE FUNCTION count_wrong_code(call_id text, mover bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE call SET tries = tries + 1 WHERE id = call_id;
    UPDATE extension e
    SET failed_codes = CASE WHEN failed_codes + 1 >= o.lock_after THEN 0 ELSE failed_codes + 1 END,
        locked_until = CASE WHEN failed_codes + 1 >= o.lock_after THEN clock_timestamp() + o.lock_for END
    FROM organization o
    WHERE o.id = e.organization_id AND e.id = mover;
END $$;
