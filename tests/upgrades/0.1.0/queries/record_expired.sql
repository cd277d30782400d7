SELECT * FROM record_outcome(
    ROW(%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(reason)s)::asked,
    'expired', clock_timestamp(), %(organization)s, %(extension)s, %(phone)s)
