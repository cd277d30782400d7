-- All that the checks of a request look at, read after the locks: always exactly one row.
SELECT clock_timestamp() AS now, j.request_id IS NOT NULL AS recorded,
       p.id AS phone_id, o.code AS organization, o.policy,
       p.enabled AND o.enabled AND b.enabled AS provisioned,
       b.id AS base_id, b.number AS base_number, b.allows_virtualization AS base_allows,
       g.id AS guest_id, g.number AS guest_number,
       e.id AS extension_id, e.number, e.code_hash, coalesce(e.locked_until > clock_timestamp(), false) AS locked,
       h.id AS host_id, h.name AS host,
       bh.id AS base_host_id, bh.name AS base_host,
       coalesce(c.tries, 0) AS tries,
       %(request_id)s = ANY (c.proof_requests) AND c.proof_extension_id = e.id AS proved,
       c.proof_at > clock_timestamp() - make_interval(secs => %(proof_lifetime)s) AS proof_fresh
FROM (SELECT) one
LEFT JOIN journal j ON j.request_id = %(request_id)s
LEFT JOIN phone p ON p.name = %(phone)s
LEFT JOIN organization o ON o.id = p.organization_id
LEFT JOIN extension b ON b.id = p.base_id
LEFT JOIN extension g ON g.id = p.guest_id
LEFT JOIN extension e ON e.organization_id = p.organization_id AND e.number = %(number)s AND e.enabled
LEFT JOIN phone h ON h.guest_id = e.id
LEFT JOIN phone bh ON bh.guest_id = b.id
LEFT JOIN call c ON c.id = %(call)s
