-- Whether the organizations in a node's scope, squared, are as many as all that there are, or more.
SELECT NOT EXISTS (SELECT FROM organization OFFSET (SELECT count(*) * count(*) FROM node_scope WHERE node_id = %(node_id)s))
