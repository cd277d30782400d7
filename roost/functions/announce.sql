-- Gives changes that are committed and have no version yet the next versions, and returns the names of the nodes to wake: those
-- that serve an organization with a change, and, when `unseen_for` is given (the sweep), those that nobody looked at for so many
-- seconds (or so the clock says, which may have been set back), or half as many where its kind is one of the `forgetful`. A woken node that lags is brought up to date, whatever woke it.
-- At most `most` rows of route_dirty are taken, so that after a large import other announcers do not wait for long. `numbered` is how
-- many keys got a version; `more` says that rows may be left. The lock is a statement of its own, so that `max(version)` is read
-- after the transaction that held it before has committed.
CREATE OR REPLACE FUNCTION announce(unseen_for float8, longest_delay float8, most int, forgetful text[], OUT numbered bigint, OUT nodes text[], OUT more bool) LANGUAGE plpgsql AS $$
DECLARE organizations bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('roost announce', 0));
    WITH taken AS (DELETE FROM route_dirty WHERE ctid = ANY (ARRAY(SELECT ctid FROM route_dirty LIMIT most))
                   RETURNING key, organization_id),
         top AS (SELECT coalesce(max(version), 0) AS version FROM route),
         put AS (
             INSERT INTO route (key, organization_id, version)
             SELECT k.key, k.organization_id, top.version + row_number() OVER (ORDER BY k.key, k.organization_id)
             FROM (SELECT DISTINCT key, organization_id FROM taken) k, top
             ORDER BY k.key, k.organization_id
             ON CONFLICT (key, organization_id) DO UPDATE SET version = excluded.version
             RETURNING organization_id)
    SELECT count(*), coalesce(array_agg(DISTINCT organization_id), '{}'), (SELECT count(*) FROM taken) >= most
    INTO numbered, organizations, more FROM put;

    SELECT coalesce(array_agg(n.name ORDER BY n.name), '{}') INTO nodes FROM pbx_node n
    WHERE may_be_tried(n.enabled, n.next_attempt_at, longest_delay)
      AND CASE
          WHEN numbered > 0 AND (n.serves_all OR EXISTS (
              SELECT FROM node_scope s WHERE s.node_id = n.id AND s.organization_id = ANY (organizations))) THEN true
          WHEN unseen_for IS NOT NULL THEN
              n.resync OR n.seen_at IS NULL OR n.seen_at > clock_timestamp()
              OR n.seen_at < clock_timestamp() - make_interval(secs => CASE WHEN n.kind = ANY (forgetful) THEN unseen_for / 2 ELSE unseen_for END)
      END;
END $$;
