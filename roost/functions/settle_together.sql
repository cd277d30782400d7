-- Does several requests in one transaction, one after the other, and returns an answer to each, in the same order. All rows that any of the
-- requests depends on are locked first, extensions before phones and in order of id, as each request does when it runs alone; so two
-- transactions never wait for each other in a circle. A row that somebody else holds for longer than `lock_timeout` is an error; with
-- `skip_held` it is not waited for, and a request that needs it is not done: its answer is NULL. Any error undoes all of it; the caller then
-- runs each request alone.
--
-- What was decided is written together, at the latest when a request looks at what one before it changes: a statement for each change would
-- cost more than the change.
CREATE OR REPLACE FUNCTION settle_together(jobs jsonb, skip_held bool) RETURNS SETOF answer LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
    one job;
    seen checked_move;
    item record;
    made decision;
    extensions bigint[];
    phones bigint[];
    due decision[] := '{}';
    requests text[] := '{}';
    changed bigint[] := '{}';
    movers bigint[] := '{}';
BEGIN
    IF jsonb_array_length(jobs) = 1 AND NOT skip_held THEN
        RETURN NEXT settle_one(jsonb_populate_record(one, jobs -> 0));
        RETURN;
    END IF;
    extensions := ARRAY(
        SELECT found.id
        FROM jsonb_populate_recordset(NULL::job, jobs) AS j
        CROSS JOIN LATERAL (
            SELECT base_id FROM phone WHERE name = j.phone_name
            UNION ALL
            SELECT e.id FROM phone p JOIN extension e ON e.organization_id = p.organization_id AND e.number = j.short_number
            WHERE p.name = j.phone_name
            UNION ALL
            SELECT e.id FROM organization o JOIN extension e ON e.organization_id = o.id AND e.number = j.short_number
            WHERE o.code = j.organization_code
        ) found (id)
    );
    IF skip_held THEN
        extensions := ARRAY(SELECT id FROM extension WHERE id = ANY (extensions) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
        phones := ARRAY(
            SELECT id FROM phone
            WHERE name = ANY (ARRAY(SELECT j ->> 'phone_name' FROM jsonb_array_elements(jobs) j)) OR guest_id = ANY (extensions)
            ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
        );
    ELSE
        PERFORM FROM extension WHERE id = ANY (extensions) ORDER BY id FOR NO KEY UPDATE;
        phones := ARRAY(
            SELECT id FROM phone
            WHERE name = ANY (ARRAY(SELECT j ->> 'phone_name' FROM jsonb_array_elements(jobs) j)) OR guest_id = ANY (extensions)
            ORDER BY id FOR NO KEY UPDATE
        );
    END IF;
    FOR item IN SELECT j AS job, seen_first FROM jsonb_populate_recordset(NULL::job, jobs) AS j CROSS JOIN checks_of(j) AS seen_first LOOP
        one := item.job;
        made := decide(one, item.seen_first);
        IF (one.request).request_id = ANY (requests) OR made.saw_phones && changed OR made.saw_extensions && movers THEN
            PERFORM carry_out(due);
            due := '{}';
            SELECT * INTO seen FROM checks_of(one);
            made := decide(one, seen);
        END IF;
        IF NOT (made.saw_phones <@ phones AND made.saw_extensions <@ extensions) THEN
            IF skip_held THEN -- somebody holds the row
                RETURN NEXT NULL;
                CONTINUE;
            END IF;
            RAISE lock_not_available; -- it changed before its row was locked
        END IF;
        IF made.is_news THEN
            due := due || made;
            requests := requests || (one.request).request_id;
            changed := changed || made.leaves || made.sits_on;
            movers := movers || made.mover;
        END IF;
        RETURN NEXT answer_to(made);
    END LOOP;
    PERFORM carry_out(due);
END $$;
