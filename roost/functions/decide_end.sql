-- A request that ends without a code: a refusal, or the homecoming of the phone's own extension, which needs none.
CREATE OR REPLACE FUNCTION decide_end(
    request asked, seen checked_move, outcome text, organization text, extension text, phone_name text
) RETURNS decision LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ROW(request, outcome, seen.now, organization, extension,
               CASE WHEN outcome = 'returned' THEN seen.base_host ELSE phone_name END, NULL, NULL,
               true, CASE WHEN outcome = 'returned' THEN seen.base_host_id END, NULL, NULL, NULL, NULL)::decision;
END $$;
