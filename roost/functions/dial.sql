-- A call to the Center: `*30` alone, or with a number.
CREATE OR REPLACE FUNCTION dial(request asked, phone_name text, short_number text) RETURNS answer LANGUAGE plpgsql AS $$
BEGIN
    RETURN settle_one(ROW('dial', request, phone_name, short_number, NULL, NULL, 0, NULL, NULL, NULL)::job);
END $$;
