-- Where each of these extensions rings now, as this node is to know it. Not known: it is gone, or is no business
-- of this node any more. LATERAL with OFFSET 0 looks each one up by index; a join of the views would read them all.
SELECT k.extension, v.extension_id IS NOT NULL AS known, v.node, v.phone
FROM unnest(%(extensions)s::text[]) AS k (extension)
LEFT JOIN LATERAL (
    SELECT v.extension_id, v.node, v.phone FROM rings v
    WHERE v.organization = split_part(k.extension, '*', 1) AND v.number = split_part(k.extension, '*', 2)
      AND (%(serves_all)s OR v.organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
    OFFSET 0
) v ON true
