-- The desks of an organization, in order of number: each extension with its own phone, or without one, and the guest who sits there.
-- All of them, those that match a search, or those with these numbers. `rings_at` is where the extension rings now, NULL: nowhere.
SELECT p.name AS phone, n.name AS node, is_cut_off(n) AS cut_off,
       coalesce(p.enabled, true) AS enabled, b.number, b.name, coalesce(b.enabled, true) AS extension_enabled,
       coalesce(b.allows_virtualization, false) AS allows, b.code_hash IS NOT NULL AS has_code,
       r.phone AS rings_at, is_away(p.name, r.phone) AS away, r.phone IS NULL AS unreachable,
       g.number AS guest, g.name AS guest_name, p.guest_since AS since, (end_of_stay(p.guest_since, g, o)).ends AS until
FROM organization o
JOIN extension b ON b.organization_id = o.id
LEFT JOIN phone p ON p.base_id = b.id
LEFT JOIN pbx_node n ON n.id = p.node_id
LEFT JOIN extension g ON g.id = p.guest_id
LEFT JOIN rings r ON r.extension_id = b.id
WHERE o.code = %(organization)s
  AND (%(search)s::text IS NULL OR b.number ^@ %(search)s OR g.number ^@ %(search)s
       OR strpos(lower(concat_ws(' ', b.name, g.name, p.name)), lower(%(search)s)) > 0)
  AND (%(numbers)s::text[] IS NULL OR b.number = ANY (%(numbers)s))
ORDER BY b.number
OFFSET %(skip)s
LIMIT %(limit)s
