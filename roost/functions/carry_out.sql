-- Writes what was decided: where extensions sit, and the journal's rows, in the order of the decisions. None of them may have looked at what
-- another one changes. A second row for one request id is refused by the primary key, a late change by the check: both undo the whole.
CREATE OR REPLACE FUNCTION carry_out(made decision[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one decision;
    leaving bigint[] := '{}';
    taken bigint[] := '{}';
    movers bigint[] := '{}';
BEGIN
    IF cardinality(made) = 0 THEN
        RETURN;
    END IF;
    FOREACH one IN ARRAY made LOOP
        IF one.leaves IS NOT NULL THEN
            leaving := leaving || one.leaves;
        END IF;
        IF one.sits_on IS NOT NULL THEN
            taken := taken || one.sits_on;
            movers := movers || one.mover;
        END IF;
    END LOOP;
    IF leaving <> '{}' THEN
        UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = ANY (leaving);
    END IF;
    IF taken <> '{}' THEN
        UPDATE phone p SET guest_id = m.mover, guest_since = clock_timestamp()
        FROM unnest(taken, movers) AS m (phone, mover) WHERE p.id = m.phone;
    END IF;
    INSERT INTO journal (request_id, made_at, expires_at, origin, actor, operation, reason,
                         organization, extension, phone, outcome, left_phone, displaced, asked_from)
    SELECT (d.request).request_id, (d.request).made_at, (d.request).expires_at, (d.request).origin, (d.request).actor, (d.request).operation,
           (d.request).reason, d.organization, d.extension, d.phone, d.outcome, d.left_phone, d.displaced, (d.request).asked_from
    FROM unnest(made) AS d;
END $$;
