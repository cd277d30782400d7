-- Locks the rows that decide a move: first the extensions whose whereabouts are decided here, then the phone and the phones that
-- host them, always in order of id. Who holds an extension's row decides where it goes.
CREATE OR REPLACE FUNCTION lock_move(phone_name text, short_number text) RETURNS locked_rows LANGUAGE plpgsql AS $$
DECLARE
    here bigint;
    base bigint;
    mover bigint;
    locked locked_rows;
BEGIN
    SELECT p.id, p.base_id, e.id INTO here, base, mover
    FROM phone p LEFT JOIN extension e ON e.organization_id = p.organization_id AND e.number = short_number
    WHERE p.name = phone_name;
    locked.extensions := ARRAY(SELECT id FROM extension WHERE id IN (base, mover) ORDER BY id FOR NO KEY UPDATE);
    locked.phones := ARRAY(SELECT id FROM phone WHERE id = here OR guest_id IN (base, mover) ORDER BY id FOR NO KEY UPDATE);
    RETURN locked;
END $$;
