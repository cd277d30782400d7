-- Nodes the sweep wakes: those that lag, and those that were not looked at for a while.
SELECT name FROM pbx_node
WHERE enabled AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp())
  AND (applied_version < (SELECT coalesce(max(version), 0) FROM route) OR resync
       OR seen_at IS NULL OR seen_at < clock_timestamp() - make_interval(secs => %(unseen_for)s))
ORDER BY name
