-- Puts an extension on a phone, or refuses to.
CREATE OR REPLACE FUNCTION virtualize(
    request asked, phone_name text, short_number text, organization_named text, call_id text, proof_lifetime float8
) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    RETURN settle_one(ROW('virtualize', request, phone_name, short_number, organization_named, call_id, proof_lifetime, NULL, NULL, NULL)::job);
END $$;
