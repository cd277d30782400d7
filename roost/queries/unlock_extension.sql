-- Forgets the wrong codes so far and the locks they led to, and writes down who wanted it.
WITH unlocked AS (
    UPDATE extension e SET failed_codes = 0, failed_on = NULL, locks = 0, locked_until = NULL
    FROM organization o
    WHERE o.id = e.organization_id AND o.code = %(organization)s AND e.number = %(number)s
    RETURNING o.code, e.number)
INSERT INTO journal (request_id, made_at, origin, actor, operation, organization, extension, outcome)
SELECT %(request_id)s, clock_timestamp(), %(origin)s, %(actor)s, 'unlock', code, number, 'unlocked' FROM unlocked
RETURNING request_id
