-- When a stay that began at `since` ends: after `max_stay`, or when the clock on the wall next shows `daily_return`. NULL: never.
-- On the night when clocks go back some times are shown twice, and either ends a stay. A time that is left out when they go
-- forward comes as much later as they jump, as RFC 5545 (3.3.5) has it. In a zone that PostgreSQL does not know no clock shows anything:
-- a guess would send people home in the middle of their day, and an error those of all other organizations not at all. Nor does a stay
-- end of which somebody wrote that it began when no clock shows.
CREATE OR REPLACE FUNCTION first_limit_of_stay(since timestamptz, max_stay interval, daily_return time, timezone text)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    today date;
    shown timestamptz;
BEGIN
    IF since < '0002-01-01 00:00+00' OR since > '9000-01-01 00:00+00' THEN
        RETURN NULL;
    END IF;
    IF daily_return IS NULL OR NOT knows_zone(timezone) THEN
        RETURN since + max_stay;
    END IF;
    today := (since AT TIME ZONE timezone)::date;
    -- From yesterday on: when clocks go back over midnight, yesterday's time may be still to come.
    FOR days IN -1 .. 1 LOOP
        EXIT WHEN shown IS NOT NULL OR today IS NULL;
        shown := next_shown(today + days + daily_return, timezone, since);
    END LOOP;
    RETURN least(since + max_stay, shown);
END $$;
