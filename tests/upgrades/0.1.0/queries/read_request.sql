SELECT operation, organization, extension, phone, outcome FROM journal WHERE request_id = %(request_id)s
