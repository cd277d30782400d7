-- The next phones in order of id: a piece of the table that a node must have which serves all organizations.
SELECT phone_id AS id, phone, organization, number, name, account_code, mailbox, base, emergency_number, emergency_location FROM acts_as
WHERE phone_id > %(after)s
ORDER BY phone_id
LIMIT %(limit)s
