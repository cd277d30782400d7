-- Where an extension rings, why, and since when. It came home when it returned or was displaced, and rings there since whoever
-- sat on its own phone meanwhile has left. LATERAL with OFFSET 0 looks one extension up in the view, by index.
SELECT e.name, r.why, r.phone, r.node,
       CASE r.why
           WHEN 'virtualized' THEN r.guest_since
           WHEN 'hosts_guest' THEN own.guest_since
           WHEN 'at_home' THEN greatest(
               CASE WHEN moved.outcome = 'returned' THEN moved.at
                    ELSE (SELECT min(j.at) FROM journal j
                          WHERE j.phone = moved.phone AND j.at > moved.at AND j.outcome = 'virtualized'
                            AND j.organization = o.code AND j.displaced = e.number) END,
               (SELECT max(j.at) FROM journal j WHERE j.phone = own.name AND j.outcome = 'returned'),
               (SELECT max(j.at) FROM journal j WHERE j.left_phone = own.name AND j.outcome = 'virtualized'))
       END AS since,
       (stay_end_and_reason(r.guest_since, e.max_stay, e.daily_return, o)).ends AS until,
       own.name AS own_phone, own_node.name AS own_node,
       o.code || '*' || g.number AS guest, g.name AS guest_name, own.guest_since,
       CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END AS locked_until
FROM extension e
JOIN organization o ON o.id = e.organization_id
CROSS JOIN LATERAL (SELECT * FROM rings WHERE extension_id = e.id OFFSET 0) r
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN pbx_node own_node ON own_node.id = own.node_id
LEFT JOIN extension g ON g.id = own.guest_id
LEFT JOIN LATERAL (
    SELECT j.at, j.outcome, j.phone FROM journal j
    WHERE j.organization = o.code AND j.extension = e.number AND is_move(j.outcome)
    ORDER BY j.at DESC LIMIT 1
) moved ON true
WHERE o.code = %(organization)s AND e.number = %(number)s
