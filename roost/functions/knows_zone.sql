-- Whether PostgreSQL knows a time zone. It may know one no more that it knew when it was set: its names are those of the system's tzdata.
CREATE OR REPLACE FUNCTION knows_zone(timezone text) RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN now() AT TIME ZONE timezone IS NOT NULL;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END $$;
