-- The sessions and tokens with these hashes that are still valid, with the role or access that each gives, its scope, and whether its
-- organization is enabled.
SELECT s.token_hash, p.role, NULL AS access, o.code, e.number, o.enabled IS NOT FALSE AS enabled
FROM session s
JOIN person p ON p.id = s.person_id AND p.enabled
LEFT JOIN organization o ON o.id = p.organization_id
LEFT JOIN extension e ON e.id = p.extension_id
WHERE s.token_hash = ANY(%(hashes)s) AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => %(idle)s)
UNION ALL
SELECT t.token_hash, NULL, t.access, o.code, NULL, o.enabled IS NOT FALSE
FROM token t
LEFT JOIN organization o ON o.id = t.organization_id
WHERE t.token_hash = ANY(%(hashes)s) AND (t.expires_at IS NULL OR t.expires_at > now())
