-- Locks the rows that decide a return: the extension, then the phone that hosts it.
CREATE OR REPLACE FUNCTION lock_return(organization_code text, short_number text) RETURNS locked_rows LANGUAGE plpgsql AS $$
DECLARE
    mover bigint;
    locked locked_rows;
BEGIN
    SELECT e.id INTO mover FROM extension e JOIN organization o ON o.id = e.organization_id
    WHERE o.code = organization_code AND e.number = short_number
    FOR NO KEY UPDATE OF e;
    locked.extensions := ARRAY[mover];
    locked.phones := ARRAY(SELECT id FROM phone WHERE guest_id = mover FOR NO KEY UPDATE);
    RETURN locked;
END $$;
