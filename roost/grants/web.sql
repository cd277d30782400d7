-- The web process, besides what desk.sql grants: it signs people in, looks tokens up, and records the calls that it refuses.

-- A call in the name of a phone that is none of the asker's is refused here, and written down.
GRANT INSERT (request_id, made_at, expires_at, origin, actor, operation, reason, organization, extension, phone, outcome, left_phone,
              displaced, asked_from) ON journal TO {role};

-- Who signs in, and who shows a token.
GRANT SELECT, INSERT, UPDATE, DELETE ON person, session, sign_in_try, known_browser, token TO {role};
