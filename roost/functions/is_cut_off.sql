-- Whether a desk is cut off: its node does not answer, or is disabled. A desk without a phone has no node, and is not.
CREATE OR REPLACE FUNCTION is_cut_off(node_enabled bool, node_failures int) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(NOT (node_enabled AND node_failures = 0), false)
$$;
