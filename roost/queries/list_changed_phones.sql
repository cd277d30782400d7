-- Who each of these phones speaks as now, as this node is to know it. Without an organization it is gone, or is no
-- business of this node any more.
SELECT k.phone, v.organization, v.number, v.name, v.account_code, v.mailbox, v.base, v.emergency_number,
       v.emergency_location
FROM unnest(%(phones)s::text[]) AS k (phone)
LEFT JOIN LATERAL (
    SELECT v.* FROM acts_as v
    WHERE v.phone = k.phone
      AND (%(serves_all)s OR v.organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
    OFFSET 0
) v ON true
