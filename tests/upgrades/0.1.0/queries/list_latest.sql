-- Which are the newest entries of an organization. An entry never changes, so that its id says all of it.
SELECT request_id FROM journal WHERE organization = %(organization)s ORDER BY at DESC, request_id DESC LIMIT %(entries)s
