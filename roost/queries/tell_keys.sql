-- What is true of each key now, for this node: where an extension rings, or whom a phone acts as. When the thing does not exist, or
-- belongs to an organization that the node does not serve, `known` and `organization` are NULL, and the node must delete the key.
-- LATERAL with OFFSET 0 makes PostgreSQL look each key up by index, instead of computing the views for every extension.
SELECT k.key, r.known, r.node, r.phone,
       a.organization, a.number, a.name, a.account_code, a.mailbox, a.base, a.emergency_number, a.emergency_location
FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS k (key, place)
LEFT JOIN LATERAL (
    SELECT true AS known, v.node, v.phone FROM rings v
    WHERE k.key LIKE 'e/%%' AND v.organization = split_part(substr(k.key, 3), '*', 1) AND v.number = split_part(k.key, '*', 2)
      AND /* include in_scope */
    OFFSET 0
) r ON true
LEFT JOIN LATERAL (
    SELECT v.* FROM acts_as v
    WHERE k.key LIKE 'p/%%' AND v.phone = substr(k.key, 3)
      AND /* include in_scope */
    OFFSET 0
) a ON true
ORDER BY k.place
