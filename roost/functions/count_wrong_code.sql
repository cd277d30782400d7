-- A wrong code counts in two streaks: that of its extension, and that of the phone on which it was keyed. A streak that is full ends
-- in a lock, and another begins. An extension's streak that came from one phone alone locks that phone instead: nobody can lock
-- somebody else out from one phone, not even by keying a right code of their own in between.
CREATE OR REPLACE FUNCTION count_wrong_code(mover bigint, keyed_on bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := clock_timestamp();
    home organization;
    guessed extension;
    used phone;
    one_phone bool;
    extension_full bool;
    phone_full bool;
BEGIN
    SELECT * INTO guessed FROM extension WHERE id = mover;
    SELECT * INTO used FROM phone WHERE id = keyed_on;
    SELECT * INTO home FROM organization WHERE id = guessed.organization_id;
    one_phone := guessed.failed_codes = 0 OR guessed.failed_on IS NOT DISTINCT FROM keyed_on;
    extension_full := guessed.failed_codes + 1 >= home.lock_after;
    phone_full := used.failed_codes + 1 >= home.phone_lock_after OR extension_full AND one_phone;
    UPDATE extension
    SET failed_codes = CASE WHEN extension_full THEN 0 ELSE failed_codes + 1 END,
        failed_on = CASE WHEN one_phone THEN keyed_on END,
        locks = locks + extension_full::int,
        locked_until = CASE WHEN extension_full AND NOT one_phone THEN now + lock_lasts(home.lock_for, locks) END
    WHERE id = mover;
    UPDATE phone
    SET failed_codes = CASE WHEN phone_full THEN 0 ELSE failed_codes + 1 END,
        locks = locks + phone_full::int,
        locked_until = CASE WHEN phone_full THEN now + lock_lasts(
            home.lock_for, CASE WHEN extension_full AND one_phone THEN greatest(locks, guessed.locks) ELSE locks END) END
    WHERE id = keyed_on;
END $$;
