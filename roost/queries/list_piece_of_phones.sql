-- The next phones in order of id: a piece of the table that a node must have.
SELECT phone_id, phone, organization, number, name, account_code, mailbox, base, emergency_number, emergency_location FROM acts_as
WHERE phone_id > %(after)s
  AND (%(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s))
ORDER BY phone_id
LIMIT %(limit)s
