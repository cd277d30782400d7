-- Where each extension rings now, for the keys changed after the version, as this node is to know it. Not known:
-- it is gone, or is no business of this node any more.
SELECT substr(r.key, 3) AS extension, v.extension_id IS NOT NULL AS known, v.node, v.phone
FROM route r
LEFT JOIN LATERAL (
    SELECT v.extension_id, v.node, v.phone FROM organization o JOIN extension e ON e.organization_id = o.id
    JOIN rings v ON v.extension_id = e.id
    WHERE o.code = split_part(substr(r.key, 3), '*', 1) AND e.number = split_part(r.key, '*', 2)
      AND (%(serves_all)s OR o.id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
) v ON true
WHERE r.version > %(version)s AND r.key LIKE 'e/%%'
  AND (%(serves_all)s OR r.organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
ORDER BY r.version
