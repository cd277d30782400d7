SELECT outcome, organization, extension, phone, displaced, clock_timestamp() AS now FROM journal WHERE request_id = %(request_id)s
