-- The types that the functions beside this file share. `asked`: what every request says of itself. `answer`: what it came to.
-- `job`: a request with the function that does it, and that function's parameters. `checked_move`: everything that the checks of a request
-- look at, read at one moment. `decision`: what a request comes to, before anything of it is written: with `is_news` a row of the journal is
-- due; the guest of the phone `leaves` leaves it, and `mover` sits on the phone `sits_on`. It holds as long as nobody changes who sits
-- on the phones that it saw, or where the extensions that it saw are. `locked_rows`: the ids of what was locked before.
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
CREATE TYPE job AS (
    function text, request asked, phone_name text, short_number text, organization_named text, call_id text, proof_lifetime float8,
    organization_code text, only_phone bigint, only_since timestamptz
);
CREATE TYPE locked_rows AS (extensions bigint[], phones bigint[]);
CREATE TYPE decision AS (
    request asked, outcome text, now timestamptz, organization text, extension text, phone text, left_phone text, displaced text,
    is_news bool, leaves bigint, sits_on bigint, mover bigint, saw_phones bigint[], saw_extensions bigint[]
);
