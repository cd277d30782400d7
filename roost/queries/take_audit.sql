-- Begins the audit of a node, or takes over one that has made no progress for `silence` seconds. Gives no row when another worker is
-- busy with it, whoever asked for another meanwhile. A requested audit begins from the start. `began_at` also tells one run from another: whoever was taken over finds
-- another value there, and stops.
INSERT INTO node_audit AS a (node_id, began_at, seen_at, keys_total)
VALUES (%(node_id)s, clock_timestamp(), clock_timestamp(), %(total)s)
ON CONFLICT (node_id) DO UPDATE
SET began_at = excluded.began_at, seen_at = excluded.seen_at, keys_total = excluded.keys_total, requested_at = NULL,
    stage = CASE WHEN a.began_at IS NULL OR a.requested_at IS NOT NULL THEN 'e' ELSE a.stage END,
    after_id = CASE WHEN a.began_at IS NULL OR a.requested_at IS NOT NULL THEN 0 ELSE a.after_id END,
    keys_done = CASE WHEN a.began_at IS NULL OR a.requested_at IS NOT NULL THEN 0 ELSE a.keys_done END,
    drift = CASE WHEN a.began_at IS NULL OR a.requested_at IS NOT NULL THEN 0 ELSE a.drift END
WHERE a.began_at IS NULL OR a.seen_at < clock_timestamp() - make_interval(secs => %(silence)s) OR a.seen_at > clock_timestamp()
RETURNING began_at, stage, after_id
