-- The ids of the extensions whose desks are shown, in order of number: those of some numbers; or a part of all, which begins after a number
-- (`behind`), or ends before one (`ahead`), so that a late part costs what the first one does; or a part of what a search finds.
-- A search compares with the beginning of the number, of a word of the name, and of the phone's name; a guest is found like the extension
-- whose desk it is. Of each it looks at a thousand at most, each by an index, so it costs the same in any organization: whoever needs
-- others types more. All is planned once, to be looked up by key, and to be read in an index's order, which ends when it has enough.
CREATE OR REPLACE FUNCTION choose_desks(
    organization_code text, searched text, numbers text[], behind text, ahead text, skip int, at_most int
) RETURNS bigint[] LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_sort = off AS $$
DECLARE
    most CONSTANT int := 1000;
    which bigint := (SELECT id FROM organization WHERE code = organization_code);
    words tsquery;
    start text;
    matching bigint[];
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
    words := (SELECT string_agg(format('''%s:%s'':*', which, word), ' & ')
              FROM regexp_split_to_table(lower(searched), '[^[:alnum:]]+') word WHERE word <> '');
    matching := ARRAY(
        (SELECT id FROM extension WHERE organization_id = which AND number >= start AND number < start || 'a' ORDER BY number LIMIT most)
        UNION
        (SELECT id FROM extension WHERE words_of(organization_id, name) @@ words LIMIT most));
    RETURN ARRAY(
        SELECT b.id
        FROM (SELECT unnest(matching) AS id
              UNION
              SELECT base_id FROM phone WHERE guest_id = ANY (matching)
              UNION
              (SELECT base_id FROM phone -- a name has nothing that comes behind a tilde
               WHERE organization_id = which AND lower(name) ~>=~ lower(searched) AND lower(name) ~<~ (lower(searched) || '~')
               ORDER BY lower(name) USING ~<~ LIMIT most)) found
        JOIN extension b ON b.id = found.id
        ORDER BY b.number OFFSET skip LIMIT at_most);
END $$;
