-- Which of the keys a node at this version cannot have yet: a difference there is not drift.
SELECT k.key FROM unnest(%(keys)s::text[]) AS k (key)
WHERE EXISTS (SELECT FROM route r WHERE r.key = k.key AND r.version > %(version)s) OR k.key IN (SELECT key FROM route_dirty)
