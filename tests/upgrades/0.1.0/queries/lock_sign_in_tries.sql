-- Tries for one account are counted one by one; the lock goes with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('sign_in_try ' || %(login)s, 0)),
       pg_advisory_xact_lock(hashtextextended('sign_in_try from ' || %(address)s, 0))
