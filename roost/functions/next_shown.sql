-- The first moment after `since` at which the clock of the zone shows `wall`; NULL when that is past.
-- PostgreSQL gives the last moment that shows it. There is an earlier one when the clock as it went a day before shows it too.
CREATE OR REPLACE FUNCTION next_shown(wall timestamp, timezone text, since timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    last timestamptz := wall AT TIME ZONE timezone;
    day_before timestamptz := last - interval '24 hours';
    first timestamptz := day_before + (wall - (day_before AT TIME ZONE timezone));
BEGIN
    RETURN CASE
        WHEN first > since AND first AT TIME ZONE timezone = wall THEN first
        WHEN last > since THEN last
    END;
END $$;
