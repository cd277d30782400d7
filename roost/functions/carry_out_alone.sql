-- Writes one decision, if it is news, and answers it.
CREATE OR REPLACE FUNCTION carry_out_alone(made decision) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    IF made.is_news THEN
        PERFORM carry_out(ARRAY[made]);
    END IF;
    RETURN answer_to(made);
END $$;
