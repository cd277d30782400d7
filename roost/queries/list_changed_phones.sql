-- Who each phone speaks as now, for the keys changed after the cursor; null organization: it is gone.
SELECT substr(r.key, 3) AS phone, v.organization, v.number, v.name, v.account_code, v.mailbox, v.base,
       v.emergency_number, v.emergency_location
FROM route r
LEFT JOIN phone p ON p.name = substr(r.key, 3)
LEFT JOIN acts_as v ON v.phone_id = p.id
WHERE r.version > %(version)s AND r.key LIKE 'p/%%'
ORDER BY r.version
