-- Whether the extension of a desk rings elsewhere than at the desk's phone.
CREATE OR REPLACE FUNCTION is_away(phone text, rings_at text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT rings_at IS NOT NULL AND rings_at IS DISTINCT FROM phone
$$;
