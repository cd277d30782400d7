-- Sets the columns that `changes` names.
UPDATE phone p
SET (node_id, base_id, emergency_number, emergency_location, enabled) =
    (SELECT n.node_id, n.base_id, n.emergency_number, n.emergency_location, n.enabled
     FROM jsonb_populate_record(p, %(changes)s) n)
WHERE p.name = %(name)s
RETURNING p.id
