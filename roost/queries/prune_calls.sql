-- The calls that nobody asked about for an hour; see prune_journal.
DELETE FROM call WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM call WHERE seen_at < statement_timestamp() - interval '1 hour'
    ORDER BY seen_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
))
