-- Roughly how many keys a node must have: rows that are disabled count too. With a scope, only its organizations' are read.
SELECT CASE
    WHEN %(serves_all)s THEN (SELECT count(*) FROM extension) + (SELECT count(*) FROM phone)
    ELSE coalesce((SELECT sum((SELECT count(*) FROM extension WHERE organization_id = s.organization_id)
                              + (SELECT count(*) FROM phone WHERE organization_id = s.organization_id))
                   FROM node_scope s WHERE s.node_id = %(node_id)s), 0)::bigint
END
