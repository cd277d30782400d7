-- Locks the rows that decide a job.
CREATE OR REPLACE FUNCTION lock_for(this job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF this.function = 'return_home' THEN
        PERFORM lock_return(this.organization_code, this.short_number);
    ELSE
        PERFORM lock_move(this.phone_name, this.short_number);
    END IF;
END $$;
