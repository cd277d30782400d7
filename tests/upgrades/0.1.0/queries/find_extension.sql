SELECT e.id FROM extension e JOIN organization o ON o.id = e.organization_id
WHERE o.code = %(organization)s AND e.number = %(number)s
