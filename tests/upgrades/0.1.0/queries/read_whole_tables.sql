-- Until the transaction ends: what follows reads tables from end to end, which a worker's other statements never do.
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)
