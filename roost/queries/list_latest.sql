-- The ids of an organization's newest entries. Entries never change, so the same ids mean the same entries.
SELECT request_id FROM journal WHERE organization = %(organization)s ORDER BY at DESC, request_id DESC LIMIT %(entries)s
