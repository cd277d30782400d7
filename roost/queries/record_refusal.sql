-- Records a refusal outside the functions of requests: of a request that was too late to commit, or that a front door refused.
SELECT * FROM record_outcome(
    ROW(%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(reason)s, %(asked_from)s)::asked,
    %(outcome)s, clock_timestamp(), %(organization)s, %(extension)s, %(phone)s)
