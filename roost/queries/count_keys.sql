-- How many keys a node must have, about: a base that is disabled, say, is counted all the same.
SELECT (SELECT count(*) FROM extension WHERE %(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
     + (SELECT count(*) FROM phone WHERE %(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
