-- Who each phone speaks as now, for the keys changed after the version, as this node is to know it. Without an
-- organization it is gone, or is no business of this node any more.
SELECT substr(r.key, 3) AS phone, v.organization, v.number, v.name, v.account_code, v.mailbox, v.base,
       v.emergency_number, v.emergency_location
FROM route r
LEFT JOIN phone p ON p.name = substr(r.key, 3)
LEFT JOIN acts_as v ON v.phone_id = p.id
     AND (%(serves_all)s OR v.organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
WHERE r.version > %(version)s AND r.key LIKE 'p/%%'
  AND (%(serves_all)s OR r.organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
ORDER BY r.version
