-- The version of the database; the version and time of the slowest node that answers; and the first move after `since`, from which
-- the time until all nodes know it is measured. The time is that of the statement: with a clock that goes on, all of the journal's index would be looked at.
SELECT (SELECT coalesce(max(version), 0) FROM route) AS version, n.applied_version, n.applied_at,
       (SELECT min(at) FROM journal WHERE at > statement_timestamp() - interval '10 seconds' AND at > coalesce(%(since)s::timestamptz, '-infinity')
                                      AND is_move(outcome)) AS first_change,
       clock_timestamp() AS now
FROM (SELECT coalesce(min(applied_version), 0) AS applied_version, max(applied_at) AS applied_at
      FROM pbx_node WHERE NOT is_cut_off(enabled, failures) AND seen_at IS NOT NULL) n
