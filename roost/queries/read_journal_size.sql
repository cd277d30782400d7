-- How many bytes the journal takes, with its indexes.
SELECT pg_total_relation_size('journal')
