-- The ids of an organization and of a node; 0 for one that is not there.
SELECT coalesce((SELECT id FROM organization WHERE code = %(organization)s), 0),
       coalesce((SELECT id FROM pbx_node WHERE name = %(node)s), 0)
