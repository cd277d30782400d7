-- Writes down what a request came to, in the transaction that did it. A second row for one request id is refused by the
-- primary key, a late change by the check: both undo the whole.
CREATE OR REPLACE FUNCTION record_outcome(
    request asked, outcome text, now timestamptz, organization text, extension text, phone text,
    left_phone text DEFAULT NULL, displaced text DEFAULT NULL
) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal (request_id, made_at, expires_at, origin, actor, operation, reason,
                         organization, extension, phone, outcome, left_phone, displaced, asked_from)
    VALUES (request.request_id, request.made_at, request.expires_at, request.origin, request.actor, request.operation,
            request.reason, organization, extension, phone, outcome, left_phone, displaced, request.asked_from);
    RETURN ROW(outcome, now, organization, extension, phone, displaced)::answer;
END $$;
