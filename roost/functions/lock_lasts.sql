-- How long a lock lasts after `before` others with no right code in between: each twice as long as the last, a day at most, or as
-- long as the organization says if that is longer.
CREATE OR REPLACE FUNCTION lock_lasts(first interval, before int) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(first, least(first * 2 ^ least(before, 30), interval '1 day'))
$$;
