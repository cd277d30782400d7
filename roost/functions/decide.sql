-- What becomes of a job. The rows that decide it are locked already; `seen` is what `checks_of` says of it, and nothing changed since.
CREATE OR REPLACE FUNCTION decide(this job, seen checked_move) RETURNS decision LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE this.function
        WHEN 'virtualize' THEN decide_virtualize(this.request, seen, this.phone_name, this.short_number, this.organization_named)
        WHEN 'dial' THEN decide_dial(this.request, seen, this.phone_name, this.short_number)
        WHEN 'return_home' THEN decide_return(
            this.request, this.organization_code, this.short_number, this.only_phone, this.only_since)
    END;
END $$;
