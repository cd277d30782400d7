SELECT t.id, t.name, o.code, t.access, t.used_at IS NULL OR t.used_at < now() - interval '1 minute' AS stale
FROM token t
LEFT JOIN organization o ON o.id = t.organization_id
WHERE t.token_hash = %(token_hash)s AND (t.expires_at IS NULL OR t.expires_at > now())
