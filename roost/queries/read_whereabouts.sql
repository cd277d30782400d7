-- What a return by name looks at: always exactly one row.
SELECT clock_timestamp() AS now, j.request_id IS NOT NULL AS recorded, e.id AS extension_id,
       h.id AS host_id, h.name AS host, h.guest_since
FROM (SELECT) one
LEFT JOIN journal j ON j.request_id = %(request_id)s
LEFT JOIN organization o ON o.code = %(organization)s AND o.enabled
LEFT JOIN extension e ON e.organization_id = o.id AND e.number = %(number)s AND e.enabled
LEFT JOIN phone h ON h.guest_id = e.id
