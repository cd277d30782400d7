-- The oldest rows of the journal that are older than so many days; those that somebody holds are left for later.
-- The time is that of the statement: with a clock that goes on, every row of the index would be looked at.
DELETE FROM journal WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM journal WHERE at < statement_timestamp() - make_interval(days => %(days)s)
    ORDER BY at LIMIT %(most)s FOR UPDATE SKIP LOCKED
))
