-- What becomes of a job, and what that depends on. The rows that decide it are locked already; `seen` is what `checks_of` says of it, and nothing
-- changed since.
CREATE OR REPLACE FUNCTION decide(this job, seen checked_move) RETURNS decision LANGUAGE plpgsql STABLE AS $$
DECLARE made decision;
BEGIN
    IF this.function = 'return_home' THEN
        RETURN decide_return(this.request, this.organization_code, this.short_number, this.only_phone, this.only_since);
    END IF;
    made := CASE this.function
        WHEN 'virtualize' THEN decide_virtualize(this.request, seen, this.phone_name, this.short_number, this.organization_named)
        WHEN 'dial' THEN decide_dial(this.request, seen, this.phone_name, this.short_number)
    END;
    made.saw_phones := array_remove(ARRAY[seen.phone_id, seen.host_id, seen.base_host_id], NULL);
    made.saw_extensions := array_remove(ARRAY[seen.base_id, seen.extension_id], NULL);
    RETURN made;
END $$;
