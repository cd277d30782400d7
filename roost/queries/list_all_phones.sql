SELECT phone, organization, number, name, account_code, mailbox, base, emergency_number, emergency_location FROM acts_as
WHERE /* include in_scope */
