-- What becomes of a request to bring an extension home, wherever it is. With `only_phone` and `only_since` only that one stay is ended; what
-- keeps it from ending is not written down: it has one request id, and is tried again. So is one that is over already, and one of an
-- organization that is being disabled, which may be enabled again before the guest was sent home.
CREATE OR REPLACE FUNCTION decide_return(
    request asked, organization_code text, short_number text, only_phone bigint, only_since timestamptz
) RETURNS decision LANGUAGE plpgsql STABLE AS $$
DECLARE
    mover bigint;
    known bool;
    host_id bigint;
    host text;
    since timestamptz;
    is_recorded bool;
    now timestamptz;
    is_over bool;
    outcome text;
    made decision;
BEGIN
    SELECT e.id, e.enabled AND o.enabled, h.id, h.name, h.guest_since, j.request_id IS NOT NULL, clock_timestamp()
    INTO mover, known, host_id, host, since, is_recorded, now
    FROM (SELECT) one
    LEFT JOIN journal j ON j.request_id = request.request_id
    LEFT JOIN organization o ON o.code = organization_code
    LEFT JOIN extension e ON e.organization_id = o.id AND e.number = short_number
    LEFT JOIN phone h ON h.guest_id = e.id;
    is_over := only_phone IS NOT NULL AND (host_id, since) IS DISTINCT FROM (only_phone, only_since);
    outcome := CASE
        WHEN is_over THEN 'nothing_to_return'
        WHEN is_expired(request, now) THEN 'expired'
        WHEN known IS NOT TRUE THEN 'unknown_extension'
        WHEN host_id IS NULL THEN 'nothing_to_return'
        ELSE 'returned'
    END;
    IF is_recorded THEN
        made := recorded(request);
    ELSE
        made := ROW(request, outcome, now, organization_code, short_number, host, NULL, NULL,
                    only_phone IS NULL OR outcome = 'returned', CASE WHEN outcome = 'returned' THEN host_id END, NULL, NULL, NULL, NULL);
    END IF;
    made.saw_phones := array_remove(ARRAY[host_id], NULL);
    made.saw_extensions := array_remove(ARRAY[mover], NULL);
    RETURN made;
END $$;
