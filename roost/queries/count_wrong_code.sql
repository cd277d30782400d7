-- The lock starts a new row of wrong codes.
UPDATE extension e
SET failed_codes = CASE WHEN failed_codes + 1 >= o.lock_after THEN 0 ELSE failed_codes + 1 END,
    locked_until = CASE WHEN failed_codes + 1 >= o.lock_after THEN clock_timestamp() + o.lock_for END
FROM organization o
WHERE o.id = e.organization_id AND e.id = %(extension_id)s
