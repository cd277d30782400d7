-- Roughly how many keys a node must have: rows that are disabled count too.
SELECT (SELECT count(*) FROM extension WHERE /* include in_scope */)
     + (SELECT count(*) FROM phone WHERE /* include in_scope */)
