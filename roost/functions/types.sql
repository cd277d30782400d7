-- The types that the functions beside this file share. `asked`: what every request says of itself. `answer`: what it came to.
-- `checked_move`: everything that the checks of a request look at, read at one moment. Each request is one call of one function, so one
-- statement and one transaction: it holds its row locks only while PostgreSQL works.
CREATE TYPE asked AS (
    request_id text, made_at timestamptz, expires_at timestamptz, origin text, actor text, operation text, reason text,
    asked_from text
);
CREATE TYPE answer AS (outcome text, now timestamptz, organization text, extension text, phone text, displaced text);
CREATE TYPE checked_move AS (
    now timestamptz, recorded bool,
    phone_id bigint, organization text, base_id bigint, base_number text, guest_id bigint, guest_number text,
    extension_id bigint, code_hash text, host_id bigint, host text, base_host_id bigint, base_host text,
    tries int, proved bool, proof_fresh bool, ends_as text
);
