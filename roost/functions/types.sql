-- The words of the functions beside this file: each request is one call of one of them, so one statement and one
-- transaction, which holds its row locks for as long as PostgreSQL works and no longer.
-- `asked` is what every request names, `answer` what it came to, `scene` what the checks look at.
CREATE TYPE asked AS (
    request_id text, made_at timestamptz, expires_at timestamptz, origin text, actor text, operation text, reason text,
    asked_from text
);
CREATE TYPE answer AS (outcome text, now timestamptz, organization text, extension text, phone text, displaced text);
CREATE TYPE scene AS (
    now timestamptz, recorded bool,
    phone_id bigint, organization text, base_id bigint, base_number text, guest_id bigint, guest_number text,
    extension_id bigint, code_hash text, host_id bigint, host text, base_host_id bigint, base_host text,
    tries int, proved bool, proof_fresh bool, ends_as text
);
