-- Brings an extension home, wherever it is.
CREATE OR REPLACE FUNCTION return_home(
    request asked, organization_code text, short_number text, only_phone bigint, only_since timestamptz
) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_return(organization_code, short_number);
    RETURN carry_out_alone(decide_return(request, organization_code, short_number, only_phone, only_since));
END $$;
