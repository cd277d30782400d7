-- The next phones in order of id: a piece of the table that a node must have.
SELECT phone_id, phone, organization, number, name, account_code, mailbox, base, emergency_number, emergency_location FROM acts_as
WHERE phone_id > %(after)s
  AND /* include in_scope */
ORDER BY phone_id
LIMIT %(limit)s
