SELECT p.id, p.login, p.name, p.role, o.code AS organization, e.number, p.enabled, p.created_at,
       s.seen_at < now() - interval '1 minute' AS stale
FROM session s
JOIN person p ON p.id = s.person_id AND p.enabled
LEFT JOIN organization o ON o.id = p.organization_id
LEFT JOIN extension e ON e.id = p.extension_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => %(idle)s)
