-- Once a minute is often enough, and spares a write at each page.
UPDATE session SET seen_at = now() WHERE token_hash = %(token_hash)s AND seen_at < now() - interval '1 minute'
