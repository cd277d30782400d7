-- How long a lock lasts after `before` others with no right code in between: each twice as long as the last, a day at most, or as
-- long as the organization says if that is longer. It is reckoned in seconds: an interval that is doubled so often may be none, and then
-- the wrong code would not count.
CREATE OR REPLACE FUNCTION lock_lasts(first interval, before int) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(first, make_interval(secs => least(extract(epoch FROM first)::float8 * 2 ^ least(before, 30), 86400)))
$$;
