-- Whether a request that came to this moved an extension; `CHANGED` in roost/moves/outcomes.py. The check `in_time` of the journal
-- lists the same, for tables know no functions of a release.
CREATE OR REPLACE FUNCTION is_move(outcome text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT outcome IN ('virtualized', 'returned')
$$;
