-- Make the node serve exactly these organizations; nothing happens to those it serves already.
WITH node AS (SELECT id FROM pbx_node WHERE name = %(node)s),
     wanted AS (SELECT id FROM organization WHERE code = ANY (%(organizations)s)),
     gone AS (DELETE FROM node_scope s USING node n
              WHERE s.node_id = n.id AND s.organization_id NOT IN (SELECT id FROM wanted)),
     come AS (INSERT INTO node_scope (node_id, organization_id) SELECT n.id, w.id FROM node n, wanted w
              ON CONFLICT DO NOTHING)
SELECT count(*) FROM wanted
