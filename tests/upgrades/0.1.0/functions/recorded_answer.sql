-- What the journal says of a request that is in it: the answer that every repeat hears.
CREATE OR REPLACE FUNCTION recorded_answer(request text) RETURNS answer LANGUAGE plpgsql STABLE AS $$
DECLARE found answer;
BEGIN
    SELECT outcome, clock_timestamp(), organization, extension, phone, displaced INTO found
    FROM journal WHERE request_id = request;
    RETURN found;
END $$;
