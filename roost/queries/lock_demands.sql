-- Two changes may break a demand of a kind of PBX only together, so whoever checks all phones (`alone`) does it alone. Those who add
-- phones check only their own, and do not wait for each other.
SELECT CASE WHEN %(alone)s THEN pg_advisory_xact_lock(hashtextextended('roost demands', 0))
            ELSE pg_advisory_xact_lock_shared(hashtextextended('roost demands', 0)) END
