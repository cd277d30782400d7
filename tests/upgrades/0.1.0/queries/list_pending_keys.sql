-- Keys that the node at this version cannot have yet: a difference there is not drift.
SELECT key FROM route WHERE version > %(version)s UNION SELECT key FROM route_dirty
