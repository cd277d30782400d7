-- What the asker hears of a decision.
CREATE OR REPLACE FUNCTION answer_to(made decision) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(made.outcome, made.now, made.organization, made.extension, made.phone, made.displaced)::answer
$$;
