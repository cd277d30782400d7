SELECT * FROM recorded_answer(%(request_id)s)
