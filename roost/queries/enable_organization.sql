-- Guests go home from one that is disabled: the trigger organization_disabled in schema.sql.
UPDATE organization SET enabled = %(enabled)s WHERE code = %(code)s AND enabled <> %(enabled)s
