COPY staged (line, organization, number, phone, node, extension_fields, phone_fields) FROM STDIN
