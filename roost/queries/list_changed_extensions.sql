-- The extensions whose whereabouts changed after a version, of one organization; and how far the change log is. `more`: there were too
-- many to be named.
WITH changed AS (
    SELECT key, organization_id, version FROM route WHERE version > %(version)s ORDER BY version LIMIT %(limit)s
)
SELECT coalesce((SELECT max(version) FROM route), 0) AS version,
       (SELECT count(*) FROM changed) >= %(limit)s AS more,
       ARRAY(SELECT split_part(c.key, '*', 2) FROM changed c JOIN organization o ON o.id = c.organization_id
             WHERE o.code = %(organization)s AND c.key ^@ ('e/' || o.code || '*')) AS numbers
