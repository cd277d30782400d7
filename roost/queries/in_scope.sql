-- Whether a row with an organization is the business of a node: a condition that other statements include.
(%(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
