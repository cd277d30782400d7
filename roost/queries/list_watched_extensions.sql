-- A text for each watched extension that changes whenever its page does.
SELECT o.code || '*' || e.number,
       concat_ws('|', e.name, e.enabled, o.enabled, e.allows_virtualization, e.code_set_at,
                 e.locked_until > clock_timestamp(), host.name, host.guest_since, own.name, own.enabled, guest.number,
                 (end_of_stay(host.guest_since, e, o)).ends)
FROM unnest(%(organizations)s::text[], %(numbers)s::text[]) AS w (organization, number)
JOIN organization o ON o.code = w.organization
JOIN extension e ON e.organization_id = o.id AND e.number = w.number
LEFT JOIN phone host ON host.guest_id = e.id
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN extension guest ON guest.id = own.guest_id
