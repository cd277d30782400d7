-- Lets PostgreSQL read whole tables until the end of the transaction, which is otherwise switched off for workers (`one_plan`).
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)
