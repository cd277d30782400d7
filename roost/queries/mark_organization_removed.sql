-- From now on it is being removed, step by step. Disabled first, so that nobody moves any more.
INSERT INTO organization_change (organization_id, removing, total)
SELECT o.id, true, (SELECT count(*) FROM extension WHERE organization_id = o.id) FROM organization o WHERE o.code = %(code)s
ON CONFLICT (organization_id) DO UPDATE SET removing = true, after_id = 0, done = 0, total = excluded.total
RETURNING organization_id
