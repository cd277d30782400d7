-- Sets the columns that `changes` names. `enabled` has its own statement: a change of it is told to every node.
UPDATE organization o
SET (name, policy, max_stay, daily_return, timezone, lock_after, lock_for, phone_lock_after,
     allows_weak_codes) =
    (SELECT n.name, n.policy, n.max_stay, n.daily_return, n.timezone, n.lock_after, n.lock_for,
            n.phone_lock_after, n.allows_weak_codes
     FROM jsonb_populate_record(o, %(changes)s) n)
WHERE o.code = %(code)s
RETURNING id
