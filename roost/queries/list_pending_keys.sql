-- Those of the keys that changed after the version, or have a change without a version: a node at this version cannot be right there
-- yet, so a difference is not drift.
SELECT k.key FROM unnest(%(keys)s::text[]) AS k (key)
WHERE EXISTS (SELECT FROM route r WHERE r.key = k.key AND r.version > %(version)s) OR k.key IN (SELECT key FROM route_dirty)
