-- Who a phone acts as, who sits on it until when, and where its own extension rings meanwhile.
SELECT p.name AS phone, o.code AS organization, n.name AS node, p.enabled AND o.enabled AS enabled,
       b.number AS base, b.name AS base_name, g.number AS guest, g.name AS guest_name, p.guest_since,
       (stay_end_and_reason(p.guest_since, g.max_stay, g.daily_return, o)).ends AS stay_ends,
       a.number AS acts_as, a.name AS acts_as_name, r.phone AS base_phone, r.node AS base_node,
       CASE WHEN p.locked_until > clock_timestamp() THEN p.locked_until END AS locked_until
FROM phone p
JOIN organization o ON o.id = p.organization_id
JOIN pbx_node n ON n.id = p.node_id
LEFT JOIN extension b ON b.id = p.base_id
LEFT JOIN extension g ON g.id = p.guest_id
LEFT JOIN acts_as a ON a.phone_id = p.id
LEFT JOIN rings r ON r.extension_id = p.base_id
WHERE p.name = %(phone)s
