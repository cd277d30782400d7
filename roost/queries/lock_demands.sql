-- Two who set up what only together breaks a demand come one after the other; those who add phones hold up each other not.
SELECT CASE WHEN %(alone)s THEN pg_advisory_xact_lock(hashtextextended('roost demands', 0))
            ELSE pg_advisory_xact_lock_shared(hashtextextended('roost demands', 0)) END
