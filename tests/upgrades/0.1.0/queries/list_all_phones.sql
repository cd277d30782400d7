SELECT phone, organization, number, name, account_code, mailbox, base, emergency_number, emergency_location FROM acts_as
WHERE %(serves_all)s OR organization_id IN (SELECT organization_id FROM node_scope WHERE node_id = %(node_id)s)
