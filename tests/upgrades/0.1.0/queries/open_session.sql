INSERT INTO session (token_hash, person_id, address, expires_at)
VALUES (%(token_hash)s, %(person_id)s, %(address)s, now() + make_interval(secs => %(lifetime)s))
