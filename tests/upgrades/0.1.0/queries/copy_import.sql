COPY staged (line, organization, number, name, account_code, mailbox, allows_virtualization, phone, node,
             emergency_number, emergency_location) FROM STDIN
