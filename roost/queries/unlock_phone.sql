-- Forgets the wrong codes so far and the locks they led to, and writes down who wanted it.
WITH unlocked AS (
    UPDATE phone p SET failed_codes = 0, locks = 0, locked_until = NULL
    FROM organization o
    WHERE o.id = p.organization_id AND p.name = %(phone)s
    RETURNING o.code, p.name)
INSERT INTO journal (request_id, made_at, origin, actor, operation, organization, phone, outcome)
SELECT %(request_id)s, clock_timestamp(), %(origin)s, %(actor)s, 'unlock', code, name, 'unlocked' FROM unlocked
RETURNING request_id
