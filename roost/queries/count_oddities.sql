-- Counts what is configured and has no effect: phones without an extension, extensions that allow guests and have no phone, and
-- extensions with a code that find no phone to move to (one whose base extension, another one, allows guests).
WITH host AS (
    SELECT p.organization_id, p.base_id FROM phone p JOIN extension b ON b.id = p.base_id
    WHERE p.enabled AND b.enabled AND b.allows_virtualization
), hosts AS (SELECT organization_id, count(*) AS n, min(base_id) AS only FROM host GROUP BY organization_id)
SELECT (SELECT count(*) FROM organization),
       (SELECT count(*) FROM pbx_node WHERE enabled),
       (SELECT count(*) FROM phone WHERE base_id IS NULL),
       (SELECT count(*) FROM extension e WHERE allows_virtualization AND enabled
            AND NOT EXISTS (SELECT FROM phone p WHERE p.base_id = e.id AND p.enabled)),
       (SELECT count(*) FROM extension e LEFT JOIN hosts h USING (organization_id)
        WHERE e.code_set_at IS NOT NULL AND e.enabled AND (h.n IS NULL OR h.n = 1 AND h.only = e.id))
