-- The ids of the extensions whose desks are shown, in order of number: those of some numbers; or a part of all, which begins after a number
-- (`behind`), or ends before one (`ahead`), so that a late part costs what the first one does; or a part of what a search finds.
-- A search compares with the beginning of the number, of a word of the name, and of the phone's name; a guest is found like the extension
-- whose desk it is. Of each it looks at a thousand at most, each by an index, so it costs the same in any organization: whoever needs
-- others types more. The index of words finds all that match before it gives the first; so a word with which most names begin, as a single
-- letter may be, is looked for in the names themselves: of those that the other words find, or in order of number. While few sit as guests,
-- these are compared themselves, and nothing is read that the part does not show. All is planned once, to be looked up by key, and to be
-- read in an index's order, which ends when it has enough.
CREATE OR REPLACE FUNCTION choose_desks(
    organization_code text, searched text, numbers text[], behind text, ahead text, skip int, at_most int
) RETURNS bigint[] LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_sort = off AS $$
DECLARE
    most CONSTANT int := 1000;
    sample CONSTANT int := 100;
    few CONSTANT int := 100;
    which bigint := (SELECT id FROM organization WHERE code = organization_code);
    sampled text[]; -- names with a blank before them, to see what is in most
    words tsquery; -- those that are not, if there are such
    patterns text[]; -- of a name that has all words, as words_of takes it apart
    usual text[]; -- the same, quick to compare, of a name with a blank before it and between its words
    in_most boolean; -- all words together
    start text;
    hosts bigint[]; -- phones with a guest, if those are few
    enough int := most;
    numbered bigint[]; -- in order of number, both
    named bigint[];
    others bigint[]; -- whose guest, or whose phone's name, is found
BEGIN
    IF numbers IS NOT NULL THEN
        RETURN ARRAY(SELECT id FROM extension WHERE organization_id = which AND number = ANY (numbers));
    ELSIF searched IS NULL AND ahead IS NOT NULL THEN
        RETURN ARRAY(SELECT id FROM extension WHERE organization_id = which AND number < ahead ORDER BY number DESC LIMIT at_most);
    ELSIF searched IS NULL THEN
        RETURN ARRAY(SELECT id FROM extension WHERE organization_id = which AND number > coalesce(behind, '')
                     ORDER BY number OFFSET skip LIMIT at_most);
    ELSIF searched ~ '^[0-9]+$' THEN
        start := searched; -- each number that begins so comes before start || 'a', in every collation
    END IF;
    sampled := ARRAY(SELECT ' ' || lower(name) FROM extension WHERE organization_id = which ORDER BY number LIMIT sample);
    SELECT array_agg(pattern), array_agg(blank), coalesce(string_agg(lexeme, ' & ') FILTER (WHERE NOT often), string_agg(lexeme, ' & '))
    INTO patterns, usual, words
    FROM regexp_split_to_table(lower(searched), '[^[:alnum:]]+') word
    CROSS JOIN LATERAL (SELECT '(^|[^[:alnum:]])' || word AS pattern, '% ' || word || '%' AS blank, format('''%s:%s'':*', which, word) AS lexeme) written
    CROSS JOIN LATERAL (SELECT 2 * count(*) > sample AS often FROM unnest(sampled) name WHERE name LIKE blank) counted
    WHERE word <> '';
    in_most := (SELECT 2 * count(*) > sample FROM unnest(sampled) name WHERE name LIKE ALL (usual));
    hosts := ARRAY(SELECT id FROM phone WHERE organization_id = which AND guest_since IS NOT NULL ORDER BY guest_since LIMIT few + 1);
    IF cardinality(hosts) <= few THEN
        enough := least(most, skip + at_most);
    END IF;
    numbered := ARRAY(SELECT id FROM extension WHERE organization_id = which AND number >= start AND number < start || 'a' ORDER BY number LIMIT enough);
    IF in_most THEN
        named := ARRAY(SELECT id FROM (SELECT id, name FROM extension WHERE organization_id = which ORDER BY number LIMIT 2 * most) b
                       WHERE ' ' || lower(name) LIKE ALL (usual) OR lower(name) ~ ALL (patterns) LIMIT most);
        -- The first names may be unlike the others.
        in_most := cardinality(named) = most OR NOT EXISTS (SELECT FROM extension WHERE organization_id = which ORDER BY number OFFSET 2 * most LIMIT 1);
    END IF;
    IF NOT in_most THEN
        named := ARRAY(SELECT id FROM (SELECT id, number FROM extension WHERE words_of(organization_id, name) @@ words
                                       AND (' ' || lower(name) LIKE ALL (usual) OR lower(name) ~ ALL (patterns)) LIMIT most) b
                       ORDER BY number);
    END IF;
    IF cardinality(hosts) <= few THEN
        others := ARRAY(SELECT p.base_id FROM phone p JOIN extension g ON g.id = p.guest_id
                        WHERE p.id = ANY (hosts) AND (g.number >= start AND g.number < start || 'a'
                                                      OR ' ' || lower(g.name) LIKE ALL (usual) OR lower(g.name) ~ ALL (patterns)));
    ELSE
        others := ARRAY(SELECT base_id FROM phone WHERE guest_id = ANY (numbered || named));
    END IF;
    others := others || ARRAY(SELECT base_id FROM phone -- a name has nothing that comes behind a tilde
                              WHERE organization_id = which AND lower(name) ~>=~ lower(searched) AND lower(name) ~<~ (lower(searched) || '~')
                              ORDER BY lower(name) USING ~<~ LIMIT most);
    IF others = '{}' AND (numbered = '{}' OR named = '{}') THEN
        RETURN (numbered || named)[skip + 1:skip + at_most];
    END IF;
    RETURN ARRAY(
        SELECT b.id
        FROM (SELECT unnest(numbered[:skip + at_most] || named[:skip + at_most] || others) AS id GROUP BY id) found
        JOIN extension b ON b.id = found.id
        ORDER BY b.number OFFSET skip LIMIT at_most);
END $$;
