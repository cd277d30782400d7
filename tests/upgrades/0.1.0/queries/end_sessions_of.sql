DELETE FROM session WHERE person_id = %(person_id)s
