-- A refusal that no function came to: one too late to commit, or one that a front door decided.
SELECT * FROM record_outcome(
    ROW(%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(reason)s, %(asked_from)s)::asked,
    %(outcome)s, clock_timestamp(), %(organization)s, %(extension)s, %(phone)s)
