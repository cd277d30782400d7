-- Whether a request is too old to take effect, or was dated in the future by a clock that is wrong. The system's own never are.
CREATE OR REPLACE FUNCTION is_expired(request asked, now timestamptz) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT request.expires_at IS NOT NULL
       AND (now > request.expires_at OR request.made_at > now + interval '1 second')
$$;
