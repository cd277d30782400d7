-- A second row for one request id is refused by the primary key, a late change by the check: both undo the whole.
INSERT INTO journal (request_id, made_at, expires_at, origin, actor, operation, organization, extension, phone,
                     outcome, reason, left_phone, displaced)
VALUES (%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(organization)s,
        %(extension)s, %(phone)s, %(outcome)s, %(reason)s, %(left_phone)s, %(displaced)s)
