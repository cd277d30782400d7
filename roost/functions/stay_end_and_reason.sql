-- When and why a guest's stay that began at `since` ends by itself: by the guest's own limits, or else its organization's.
CREATE OR REPLACE FUNCTION stay_end_and_reason(
    since timestamptz, guest_max_stay interval, guest_daily_return time, home organization, OUT ends timestamptz, OUT reason text
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    max_stay interval := coalesce(guest_max_stay, home.max_stay);
BEGIN
    ends := first_limit_of_stay(since, max_stay, coalesce(guest_daily_return, home.daily_return), home.timezone);
    reason := CASE WHEN ends IS NULL THEN NULL WHEN ends = since + max_stay THEN 'stay_ended' ELSE 'daily_return' END;
END $$;
