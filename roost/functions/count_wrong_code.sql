-- A wrong code counts in the streak of wrong codes of its extension. The lock starts a new streak.
CREATE OR REPLACE FUNCTION count_wrong_code(mover bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE extension e
    SET failed_codes = CASE WHEN failed_codes + 1 >= o.lock_after THEN 0 ELSE failed_codes + 1 END,
        locked_until = CASE WHEN failed_codes + 1 >= o.lock_after THEN clock_timestamp() + o.lock_for END
    FROM organization o
    WHERE o.id = e.organization_id AND e.id = mover;
END $$;
