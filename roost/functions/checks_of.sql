-- What the checks of a job look at, and what they say of it; `decide_return` looks at little, and by itself.
CREATE OR REPLACE FUNCTION checks_of(this job) RETURNS SETOF checked_move LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT c.* FROM (SELECT) one
    LEFT JOIN check_move(
        (this.request).request_id, this.phone_name, this.short_number, this.organization_named, this.call_id, this.proof_lifetime
    ) c ON this.function <> 'return_home'
$$;
