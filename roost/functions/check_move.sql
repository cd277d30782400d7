-- All that a request to virtualize looks at, and what the checks 1 to 8 of the contract say of it, in their order:
-- `ends_as` is the outcome that ends the request here, NULL when only the code is left to check. `organization_named` is the
-- one that an administrator named; a call takes its phone's. It is one SQL statement, so that PostgreSQL can inline it into the one that asks.
CREATE OR REPLACE FUNCTION check_move(
    request text, phone_name text, short_number text, organization_named text, call_id text, proof_lifetime float8
) RETURNS SETOF checked_move LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT clock_timestamp(), j.request_id IS NOT NULL,
           p.id, o.code, b.id, b.number, g.id, g.number, e.id, e.code_hash, h.id, h.name, bh.id, bh.name,
           coalesce(c.tries, 0), coalesce(request = ANY (c.proof_requests) AND c.proof_extension_id = e.id, false),
           coalesce(c.proof_at > clock_timestamp() - make_interval(secs => proof_lifetime), false),
           CASE
               WHEN (p.enabled AND o.enabled AND b.enabled) IS NOT TRUE THEN 'unknown_phone'
               WHEN e.id IS NULL OR organization_named <> o.code THEN 'unknown_extension'
               WHEN e.id = b.id THEN CASE WHEN h.id IS NULL THEN 'already_here' ELSE 'returned' END
               WHEN e.id = g.id THEN 'already_here'
               WHEN NOT b.allows_virtualization THEN 'not_allowed'
               WHEN g.id IS NOT NULL AND o.policy <> 'displace' THEN 'occupied'
               WHEN e.code_hash IS NULL THEN 'no_code'
               WHEN NOT row_fits(o.code, e.number, e.name, e.account_code, e.mailbox, b.number, p) THEN 'too_long'
               WHEN p.locked_until > clock_timestamp() THEN 'phone_locked'
               WHEN e.locked_until > clock_timestamp() THEN 'locked'
           END
    FROM (SELECT) one
    LEFT JOIN journal j ON j.request_id = request
    LEFT JOIN phone p ON p.name = phone_name
    LEFT JOIN organization o ON o.id = p.organization_id
    LEFT JOIN extension b ON b.id = p.base_id
    LEFT JOIN extension g ON g.id = p.guest_id
    LEFT JOIN extension e ON e.organization_id = p.organization_id AND e.number = short_number AND e.enabled
    LEFT JOIN phone h ON h.guest_id = e.id
    LEFT JOIN phone bh ON bh.guest_id = b.id
    LEFT JOIN call c ON c.id = call_id
$$;
