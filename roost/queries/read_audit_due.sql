SELECT audited_at IS NULL OR audited_at < clock_timestamp() - make_interval(secs => %(every)s)
FROM pbx_node WHERE name = %(node)s
