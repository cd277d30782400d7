-- For each of these extensions one text with all that its page shows, except the journal. While the text stays the same, the page need
-- not be made anew, and nobody who watches it need be told.
SELECT o.code || '*' || e.number,
       ROW(e.name, e.enabled, o.enabled, e.allows_virtualization, e.code_set_at,
           CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END,
           host.name, host.guest_since, own.name, own.enabled, guest.number,
           (stay_end_and_reason(host.guest_since, e.max_stay, e.daily_return, o)).ends)::text
FROM unnest(%(organizations)s::text[], %(numbers)s::text[]) AS w (organization, number)
JOIN organization o ON o.code = w.organization
JOIN extension e ON e.organization_id = o.id AND e.number = w.number
LEFT JOIN phone host ON host.guest_id = e.id
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN extension guest ON guest.id = own.guest_id
