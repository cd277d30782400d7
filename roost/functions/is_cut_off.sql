-- Whether a desk is cut off: its node does not answer, or is disabled. A desk without a phone has no node, and is not.
CREATE OR REPLACE FUNCTION is_cut_off(node pbx_node) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(NOT (node.enabled AND node.failures = 0), false)
$$;
