-- Remembers a browser with which a person signed in. Of each person the browsers used last are kept, `most` in all.
WITH kept AS (
    SELECT browser FROM known_browser WHERE person_id = %(person_id)s ORDER BY used_at DESC LIMIT %(most)s - 1
), forgotten AS (
    DELETE FROM known_browser WHERE person_id = %(person_id)s AND browser NOT IN (SELECT browser FROM kept)
)
INSERT INTO known_browser (browser, person_id) VALUES (%(browser)s, %(person_id)s)
