-- Brings an extension home, wherever it is.
CREATE OR REPLACE FUNCTION return_home(
    request asked, organization_code text, short_number text, only_phone bigint, only_since timestamptz
) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    RETURN settle_one(ROW('return_home', request, NULL, short_number, NULL, NULL, NULL, organization_code, only_phone, only_since)::job);
END $$;
