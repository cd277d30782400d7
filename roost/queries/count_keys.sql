-- How many keys a node must have, about: a base that is disabled, say, is counted all the same.
SELECT (SELECT count(*) FROM extension WHERE /* include in_scope */)
     + (SELECT count(*) FROM phone WHERE /* include in_scope */)
