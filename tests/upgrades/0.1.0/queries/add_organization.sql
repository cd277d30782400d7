INSERT INTO organization (code) VALUES (%(code)s) RETURNING id
