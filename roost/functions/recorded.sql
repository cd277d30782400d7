-- What the journal says of a request that is in it, as a decision that is no news.
CREATE OR REPLACE FUNCTION recorded(request asked) RETURNS decision LANGUAGE plpgsql STABLE AS $$
DECLARE found answer;
BEGIN
    found := recorded_answer(request.request_id);
    RETURN ROW(request, found.outcome, found.now, found.organization, found.extension, found.phone, NULL, found.displaced,
               false, NULL, NULL, NULL, NULL, NULL)::decision;
END $$;
