DELETE FROM session WHERE expires_at <= now() OR seen_at <= now() - make_interval(secs => %(idle)s)
