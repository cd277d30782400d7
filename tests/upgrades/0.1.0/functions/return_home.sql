-- Brings an extension home, wherever it is. With `only_phone` and `only_since` only that one stay is ended; one that is over
-- already is nothing to write down.
CREATE OR REPLACE FUNCTION return_home(
    request asked, organization_code text, short_number text, only_phone bigint, only_since timestamptz
) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    mover bigint;
    known bool;
    host phone;
    now timestamptz;
    outcome text;
BEGIN
    SELECT e.id, e.enabled AND o.enabled INTO mover, known
    FROM extension e JOIN organization o ON o.id = e.organization_id
    WHERE o.code = organization_code AND e.number = short_number
    FOR NO KEY UPDATE OF e;
    SELECT * INTO host FROM phone WHERE guest_id = mover FOR NO KEY UPDATE;
    now := clock_timestamp();
    IF EXISTS (SELECT FROM journal WHERE request_id = request.request_id) THEN
        RETURN recorded_answer(request.request_id);
    ELSIF only_phone IS NOT NULL AND (host.id, host.guest_since) IS DISTINCT FROM (only_phone, only_since) THEN
        RETURN ROW('nothing_to_return', now, organization_code, short_number, host.name, NULL)::answer;
    END IF;
    outcome := CASE
        WHEN is_expired(request, now) THEN 'expired'
        WHEN known IS NOT TRUE THEN 'unknown_extension'
        WHEN host.id IS NULL THEN 'nothing_to_return'
        ELSE 'returned'
    END;
    IF outcome = 'returned' THEN
        UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = host.id;
    END IF;
    RETURN record_outcome(request, outcome, now, organization_code, short_number, host.name);
END $$;
