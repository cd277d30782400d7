-- The ids of the extensions whose desks are shown: those of some numbers, or a part of all or of what a search finds, in order of
-- number. A search compares with the beginning of the number, of a word of the name, and of the phone's name; a guest is found like the
-- extension whose desk it is. Each of these has an index. At most a thousand phones and a thousand guests that match are looked at: whoever
-- needs fewer results types more. Each call has a plan of its own (`force_custom_plan`): a rare word is found by its index, for a frequent
-- one it is cheaper to go through the numbers.
CREATE OR REPLACE FUNCTION choose_desks(organization_code text, searched text, numbers text[], skip int, at_most int)
RETURNS bigint[] LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    which bigint := (SELECT id FROM organization WHERE code = organization_code);
    words tsquery;
    start text;
    enough int := skip + at_most;
BEGIN
    IF numbers IS NOT NULL THEN
        RETURN ARRAY(SELECT id FROM extension WHERE organization_id = which AND number = ANY (numbers));
    ELSIF searched IS NULL THEN
        RETURN ARRAY(SELECT id FROM extension WHERE organization_id = which ORDER BY number OFFSET skip LIMIT at_most);
    ELSIF searched ~ '^[0-9]+$' THEN
        start := searched; -- each number that begins so comes before start || 'a', in every collation
    END IF;
    words := (SELECT to_tsquery('simple', string_agg(quote_literal(word) || ':*', ' & '))
              FROM regexp_split_to_table(lower(searched), '[^[:alnum:]]+') word WHERE word <> '');
    RETURN ARRAY(
        SELECT id FROM (
            (SELECT id, number FROM extension WHERE organization_id = which AND number >= start AND number < start || 'a'
             ORDER BY number LIMIT enough)
            UNION
            (SELECT id, number FROM extension WHERE organization_id = which AND name_words(name) @@ words ORDER BY number LIMIT enough)
            UNION
            (SELECT b.id, b.number
             FROM (SELECT base_id FROM phone
                   WHERE organization_id = which
                     AND lower(name) LIKE replace(replace(replace(lower(searched), '\', '\\'), '_', '\_'), '%', '\%') || '%'
                   ORDER BY lower(name) USING ~<~ LIMIT 1000) desk
             JOIN extension b ON b.id = desk.base_id)
            UNION
            (SELECT b.id, b.number
             FROM (SELECT h.base_id FROM phone h JOIN extension g ON g.id = h.guest_id
                   WHERE h.organization_id = which AND h.guest_since IS NOT NULL
                     AND (g.number >= start AND g.number < start || 'a' OR name_words(g.name) @@ words) LIMIT 1000) host
             JOIN extension b ON b.id = host.base_id)
        ) found
        ORDER BY number OFFSET skip LIMIT at_most);
END $$;
