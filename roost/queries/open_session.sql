-- No row: the person was disabled, removed, or given another password since this one was compared. The lock has whoever does that wait until
-- the session is there to be ended.
INSERT INTO session (token_hash, person_id, address, expires_at)
SELECT %(token_hash)s, p.id, %(address)s, now() + make_interval(secs => %(lifetime)s)
FROM (SELECT id FROM person WHERE id = %(person_id)s AND enabled AND password_hash = %(password_hash)s FOR SHARE) p
ON CONFLICT (token_hash) DO UPDATE SET expires_at = EXCLUDED.expires_at -- a commit whose answer was lost is tried again
RETURNING person_id
