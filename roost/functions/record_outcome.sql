-- Writes down what a request came to that moves nobody, in the transaction that did it.
CREATE OR REPLACE FUNCTION record_outcome(
    request asked, outcome text, now timestamptz, organization text, extension text, phone text
) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    RETURN carry_out_alone(ROW(request, outcome, now, organization, extension, phone, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL)::decision);
END $$;
