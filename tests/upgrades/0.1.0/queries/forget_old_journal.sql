DELETE FROM journal WHERE at < clock_timestamp() - make_interval(days => %(days)s)
