-- All that says where an extension rings, why, and since when. It came home when it returned or was displaced,
-- and rings there since whoever sat on its own phone meanwhile has left.
SELECT o.code AS organization, e.number, e.name, o.enabled AS organization_enabled, e.enabled,
       own.name AS own_phone, own.enabled AS own_enabled, own_node.name AS own_node,
       host.name AS host, host_node.name AS host_node, host.guest_since AS away_since,
       (end_of_stay(host.guest_since, e, o)).ends AS stay_ends,
       g.number AS guest, g.name AS guest_name, own.guest_since AS guest_since,
       CASE WHEN e.locked_until > clock_timestamp() THEN e.locked_until END AS locked_until,
       greatest(
           CASE WHEN moved.outcome = 'returned' THEN moved.at
                ELSE (SELECT min(j.at) FROM journal j
                      WHERE j.phone = moved.phone AND j.at > moved.at AND j.outcome = 'virtualized'
                        AND j.organization = o.code AND j.displaced = e.number) END,
           (SELECT max(j.at) FROM journal j WHERE j.phone = own.name AND j.outcome = 'returned'),
           (SELECT max(j.at) FROM journal j WHERE j.left_phone = own.name AND j.outcome = 'virtualized')) AS home_since
FROM extension e
JOIN organization o ON o.id = e.organization_id
LEFT JOIN phone own ON own.base_id = e.id
LEFT JOIN pbx_node own_node ON own_node.id = own.node_id
LEFT JOIN extension g ON g.id = own.guest_id
LEFT JOIN phone host ON host.guest_id = e.id
LEFT JOIN pbx_node host_node ON host_node.id = host.node_id
LEFT JOIN LATERAL (
    SELECT j.at, j.outcome, j.phone FROM journal j
    WHERE j.organization = o.code AND j.extension = e.number AND j.outcome IN ('virtualized', 'returned')
    ORDER BY j.at DESC LIMIT 1
) moved ON true
WHERE o.code = %(organization)s AND e.number = %(number)s
