-- Guests go home from one that is disabled: the trigger organization_dirty in schema.sql, and its steps.
UPDATE organization SET enabled = %(enabled)s WHERE code = %(code)s AND enabled <> %(enabled)s
