-- Locks the rows that decide a job, and says which they are.
CREATE OR REPLACE FUNCTION lock_for(this job) RETURNS locked_rows LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN this.function = 'return_home' THEN lock_return(this.organization_code, this.short_number)
                ELSE lock_move(this.phone_name, this.short_number) END;
END $$;
