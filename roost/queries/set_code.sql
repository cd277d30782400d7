-- A new code, or none, also ends a lock.
UPDATE extension
SET code_hash = %(code_hash)s, code_set_at = CASE WHEN %(code_hash)s::text IS NOT NULL THEN clock_timestamp() END,
    failed_codes = 0, locked_until = NULL
WHERE id = %(extension_id)s
