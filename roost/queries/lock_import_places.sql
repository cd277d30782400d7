-- Holds the organizations and nodes that the rows name by these names until the import ends: a rename or a removal waits. Phones and
-- extensions that are added or changed refer to them anyway.
WITH organizations AS (
    SELECT o.id FROM organization o WHERE o.code IN (SELECT organization FROM staged) ORDER BY o.id FOR KEY SHARE
), nodes AS (
    SELECT n.id FROM pbx_node n WHERE n.name IN (SELECT node FROM staged) ORDER BY n.id FOR KEY SHARE
)
SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM nodes)
