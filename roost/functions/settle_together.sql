-- Does several requests in one transaction, one after the other, and returns an answer to each, in the same order. A job names the function
-- that does it, and that function's parameters. All rows that any of the requests depends on are locked first, extensions before phones and
-- in order of id, as each request does when it runs alone; so two transactions never wait for each other in a circle. A row that somebody
-- else holds for longer than `lock_timeout` is an error. Any error undoes all of it; the caller then runs each request alone.
CREATE OR REPLACE FUNCTION settle_together(jobs jsonb) RETURNS SETOF answer LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
    job record;
    extensions bigint[];
BEGIN
    IF jsonb_array_length(jobs) > 1 THEN
        extensions := ARRAY(
            SELECT found.id
            FROM jsonb_to_recordset(jobs) AS j (phone_name text, short_number text, organization_code text)
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
        PERFORM FROM extension WHERE id = ANY (extensions) ORDER BY id FOR NO KEY UPDATE;
        PERFORM FROM phone
        WHERE name = ANY (ARRAY(SELECT j ->> 'phone_name' FROM jsonb_array_elements(jobs) j)) OR guest_id = ANY (extensions)
        ORDER BY id FOR NO KEY UPDATE;
    END IF;
    FOR job IN
        SELECT * FROM jsonb_to_recordset(jobs) AS j (
            function text, request asked, phone_name text, short_number text,
            organization_named text, call_id text, proof_lifetime float8, organization_code text, only_phone bigint, only_since timestamptz)
    LOOP
        RETURN NEXT CASE job.function
            WHEN 'virtualize' THEN virtualize(
                job.request, job.phone_name, job.short_number, job.organization_named, job.call_id, job.proof_lifetime)
            WHEN 'dial' THEN dial(job.request, job.phone_name, job.short_number)
            WHEN 'return_home' THEN return_home(
                job.request, job.organization_code, job.short_number, job.only_phone, job.only_since)
        END;
    END LOOP;
END $$;
