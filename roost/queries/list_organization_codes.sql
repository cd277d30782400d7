SELECT code FROM organization WHERE %(only)s::text IS NULL OR code = %(only)s ORDER BY code
