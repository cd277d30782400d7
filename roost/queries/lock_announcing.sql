SELECT pg_advisory_xact_lock(hashtextextended('roost announce', 0))
