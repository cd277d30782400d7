-- The desks of an organization: each phone with its own extension and its guest, and each extension without a phone; a part of all,
-- or of those that a search finds, or those of some numbers (choose_desks). `rings_at` is where the desk's own extension rings now;
-- null: nowhere. LATERAL with OFFSET 0 looks each desk up by its keys, where the planner might read all there are; and it would choose the
-- desks once more, to guess how many there are, if that were not a SELECT of its own.
SELECT p.name AS phone, n.name AS node,
       coalesce(p.enabled, true) AS enabled, b.number, b.name, coalesce(b.enabled, true) AS extension_enabled,
       coalesce(b.allows_virtualization, false) AS allows, b.code_set_at IS NOT NULL AS has_code,
       r.phone AS rings_at, is_away(p.name, r.phone) AS away, r.phone IS NULL AS unreachable, is_cut_off(n.enabled, n.failures) AS cut_off,
       g.number AS guest, g.name AS guest_name, p.guest_since AS since,
       CASE WHEN p.guest_since IS NOT NULL THEN (stay_end_and_reason(p.guest_since, g.max_stay, g.daily_return, o)).ends END AS until
FROM unnest((SELECT choose_desks(%(organization)s, %(search)s, %(numbers)s::text[], %(behind)s, %(ahead)s, %(skip)s::int, %(limit)s::int))) chosen (id)
CROSS JOIN LATERAL (
    SELECT id, organization_id, number, name, enabled, allows_virtualization, code_set_at FROM extension WHERE id = chosen.id OFFSET 0
) b
JOIN organization o ON o.id = b.organization_id
LEFT JOIN LATERAL (SELECT * FROM phone WHERE base_id = chosen.id OFFSET 0) p ON true
LEFT JOIN pbx_node n ON n.id = p.node_id
LEFT JOIN LATERAL (SELECT * FROM rings WHERE extension_id = chosen.id OFFSET 0) r ON true
LEFT JOIN extension g ON g.id = (SELECT p.guest_id)
ORDER BY b.number
