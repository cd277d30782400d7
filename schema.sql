-- The tables of Roost. `roost db init` applies this file to an empty database; PostgreSQL 15 to 18.
-- The rules of extension virtualization are constraints of these tables: a direct UPDATE that breaks one is refused. Two views derive
-- what every PBX node must know, and triggers note each change of what they show, so that nobody who writes can forget the nodes.
-- The functions here belong to the tables, and releases that run side by side share them. What a request does is in the functions
-- of roost/functions, which each release installs in a PostgreSQL schema of its own; the functions here do not call those.

-- Which version of this file the database has; `roost db upgrade` goes on from here.
CREATE TABLE roost_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
GRANT SELECT ON roost_version TO PUBLIC;
INSERT INTO roost_version VALUES (2);

-- ========== What is provisioned ==========

-- What a field may hold is also in roost/directory/fields.py, for the doors; tests/core/test_fields.py compares the two.
-- Control characters are named by their code points: what belongs to the class [:cntrl:] depends on the database's locale.

-- An organization is a tenant; nothing crosses its border. `policy` says what happens when somebody asks
-- for a phone that hosts another guest. `max_stay` and `daily_return` (a wall-clock time in `timezone`)
-- end stays, unless an extension has its own. `lock_after` consecutive wrong codes lock an extension, `phone_lock_after` the phone on
-- which they are keyed; the first lock lasts `lock_for`. Before `code_since` another organization may have had the code: the journal keeps that
-- one's entries under it. Weak codes are those that everybody tries first (weak_codes.py).
-- Durations have an end, or a time to which one is added would be none, and whoever asks for those of everybody would be told nothing.
CREATE TABLE organization (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9]{1,16}$'),
    name text NOT NULL DEFAULT '' CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) <= 64),
    enabled bool NOT NULL DEFAULT true,
    policy text NOT NULL DEFAULT 'refuse' CHECK (policy IN ('refuse', 'displace')),
    max_stay interval CHECK (max_stay > interval '0' AND max_stay <= interval '300 years'),
    daily_return time CHECK (daily_return < '24:00'),
    timezone text NOT NULL DEFAULT 'UTC',
    lock_after int NOT NULL DEFAULT 27 CHECK (lock_after BETWEEN 1 AND 1000),
    lock_for interval NOT NULL DEFAULT '15 minutes' CHECK (lock_for > interval '0' AND lock_for <= interval '300 years'),
    phone_lock_after int NOT NULL DEFAULT 9 CHECK (phone_lock_after BETWEEN 1 AND 1000),
    allows_weak_codes bool NOT NULL DEFAULT false,
    code_since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A time zone is known when it is set; PostgreSQL raises what says that it is not. A check of the table would be asked at each change, and
-- at a restore: with a name that a newer tzdata has no more (US/Eastern), nobody could disable, rename, upgrade or restore it.
CREATE FUNCTION time_zone_is_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.timezone <> OLD.timezone THEN
        PERFORM now() AT TIME ZONE NEW.timezone;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER time_zone_is_known AFTER INSERT OR UPDATE OF timezone ON organization
    FOR EACH ROW EXECUTE FUNCTION time_zone_is_known();

-- What is left to do for an organization that was disabled, enabled or renamed, or that is being removed. It is done in steps, some extensions
-- at a time in order of id (`step_organization`), so that anybody can go on after a crash. `old_codes` are those it had before: the nodes must
-- also hear of the keys with these. `done` of about `total` extensions are through.
CREATE TABLE organization_change (
    organization_id bigint PRIMARY KEY REFERENCES organization ON DELETE CASCADE,
    removing bool NOT NULL DEFAULT false,
    old_codes text[] NOT NULL DEFAULT '{}',
    after_id bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- An extension is a person's identity. `code_hash` is argon2id over a peppered code, never the code.
-- `failed_codes` counts consecutive wrong codes, over all calls; `failed_on` is the phone on which all of them were keyed, NULL when
-- there were several. `locks` counts locks with no right code in between.
CREATE TABLE extension (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    number text NOT NULL CHECK (number ~ '^[0-9]{1,16}$'),
    name text NOT NULL DEFAULT '' CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) <= 64),
    account_code text NOT NULL DEFAULT '' CHECK (account_code ~ '^[A-Za-z0-9._-]{0,32}$'),
    mailbox text NOT NULL DEFAULT '' CHECK (mailbox ~ '^[A-Za-z0-9._@-]{0,64}$'),
    enabled bool NOT NULL DEFAULT true,
    allows_virtualization bool NOT NULL DEFAULT false,
    code_hash text,
    code_set_at timestamptz,
    failed_codes int NOT NULL DEFAULT 0,
    locked_until timestamptz,
    max_stay interval CHECK (max_stay > interval '0' AND max_stay <= interval '300 years'),
    daily_return time CHECK (daily_return < '24:00'),
    failed_on bigint,
    locks int NOT NULL DEFAULT 0,
    UNIQUE (organization_id, number),
    UNIQUE (organization_id, id),
    CHECK ((code_hash IS NULL) = (code_set_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX extension_with_own_limit ON extension (id) WHERE max_stay IS NOT NULL OR daily_return IS NOT NULL;

-- The words of an extension's name, each with its organization before it: a search by how one of them begins looks at nobody else's. What is
-- not sorted in yet is read by each search, so it is kept small.
CREATE FUNCTION words_of(organization bigint, name text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_tsvector(string_to_array(
        ltrim(regexp_replace(' ' || lower(name), '[^[:alnum:]]+', ' ' || organization::text || ':', 'g')), ' '))
$$;
CREATE INDEX extension_by_words ON extension USING gin (words_of(organization_id, name)) WITH (gin_pending_list_limit = 256);

-- A PBX of the cluster. `secret` is sealed; only push workers can open it. The cursor itself lives in the
-- node; `applied_version` is what we last saw there. A node that fails is left alone until `next_attempt_at`.
-- `resync` asks for a full send, whatever its cursor says; `send_…` say how far one is. `failure` is the code of the last error.
-- `options` are what the kind declares beyond the columns here; a kind whose nodes have no user name leaves `username` empty.
-- `written_until`: until then a push worker may be writing the node without holding this row, so everybody takes it for held (take_node.sql).
CREATE TABLE pbx_node (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9._-]{1,64}$'),
    kind text NOT NULL CHECK (kind ~ '^[a-z]{1,16}$'),
    host text NOT NULL CHECK (host <> ''),
    port int NOT NULL CHECK (port BETWEEN 1 AND 65535),
    username text NOT NULL,
    secret bytea NOT NULL,
    enabled bool NOT NULL DEFAULT true,
    serves_all bool NOT NULL DEFAULT true,
    resync bool NOT NULL DEFAULT false,
    applied_version bigint NOT NULL DEFAULT 0,
    applied_at timestamptz,
    seen_at timestamptz,
    audited_at timestamptz,
    drift int NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    last_error text,
    next_attempt_at timestamptz,
    failing_since timestamptz,
    failure text,
    send_began_at timestamptz,
    send_done bigint NOT NULL DEFAULT 0,
    send_total bigint NOT NULL DEFAULT 0,
    written_until timestamptz,
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object')
) WITH (fillfactor = 50);

-- How far an audit, the comparison of a node's whole table with the database, has come. It is done in pieces, and another worker goes on
-- with it after a crash. `requested_at`: when somebody asked for one, which begins after that. `began_at` is NULL when none is in
-- progress; `seen_at` is when its last piece was done. `stage`: extensions (e), phones (p), and keys that only the node has (strangers).
CREATE TABLE node_audit (
    node_id bigint PRIMARY KEY REFERENCES pbx_node ON DELETE CASCADE,
    requested_at timestamptz,
    began_at timestamptz,
    seen_at timestamptz,
    stage text NOT NULL DEFAULT 'e' CHECK (stage IN ('e', 'p', 'strangers')),
    after_id bigint NOT NULL DEFAULT 0,
    keys_done bigint NOT NULL DEFAULT 0,
    keys_total bigint NOT NULL DEFAULT 0,
    drift int NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Rows that a node cannot hold; all others are sent to it as usual. Such a row is tried again when it changes, by an audit, and, when
-- it is `due`, by the next push. At most a thousand a node are kept (note_refused_rows.sql).
CREATE TABLE node_refused_row (
    node_id bigint REFERENCES pbx_node ON DELETE CASCADE,
    key text,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    due bool NOT NULL DEFAULT false,
    PRIMARY KEY (node_id, key)
);

-- A phone is one SIP endpoint, homed on one node and provisioned with at most one extension (its base).
-- `guest_id` is the binding: one column, unique, so a phone hosts at most one guest, and an extension is
-- a guest on at most one phone. The foreign keys keep guest, phone and base in one organization. Wrong codes are counted as they
-- are on an extension.
CREATE TABLE phone (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9._-]{1,64}$'),
    node_id bigint NOT NULL REFERENCES pbx_node,
    base_id bigint UNIQUE,
    guest_id bigint CONSTRAINT guest_on_one_phone UNIQUE,
    guest_since timestamptz,
    emergency_number text NOT NULL DEFAULT '' CHECK (emergency_number ~ '^[+0-9]{0,32}$'),
    emergency_location text NOT NULL DEFAULT ''
        CHECK (emergency_location !~ '[\u0001-\u001f\u007f-\u009f]' AND octet_length(emergency_location) <= 256),
    enabled bool NOT NULL DEFAULT true,
    failed_codes int NOT NULL DEFAULT 0,
    locked_until timestamptz,
    locks int NOT NULL DEFAULT 0,
    FOREIGN KEY (organization_id, base_id) REFERENCES extension (organization_id, id),
    FOREIGN KEY (organization_id, guest_id) REFERENCES extension (organization_id, id),
    CONSTRAINT guest_is_not_base CHECK (guest_id <> base_id),
    CONSTRAINT guest_needs_provisioned_phone CHECK (guest_id IS NULL OR (base_id IS NOT NULL AND enabled)),
    CONSTRAINT guest_has_since CHECK ((guest_id IS NULL) = (guest_since IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX phone_by_organization_and_name ON phone (organization_id, name);
CREATE INDEX phone_by_node_and_name ON phone (node_id, name);
CREATE INDEX phone_by_start_of_name ON phone (organization_id, lower(name) text_pattern_ops);
CREATE INDEX phone_without_base ON phone (organization_id, name) WHERE base_id IS NULL;
CREATE INDEX phone_with_guest ON phone (organization_id, guest_since) WHERE guest_since IS NOT NULL;

-- The organizations that a node serves, unless it `serves_all`. Only their routes are sent to it.
CREATE TABLE node_scope (
    node_id bigint NOT NULL REFERENCES pbx_node ON DELETE CASCADE,
    organization_id bigint NOT NULL REFERENCES organization ON DELETE CASCADE,
    PRIMARY KEY (node_id, organization_id)
);
CREATE INDEX node_scope_by_organization ON node_scope (organization_id);

-- Whether a node serves an organization. It stands here, not with the functions of a release: triggers of these tables ask it.
CREATE FUNCTION node_serves(which bigint, organization bigint) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT (SELECT serves_all FROM pbx_node WHERE id = which)
        OR EXISTS (SELECT 1 FROM node_scope WHERE node_id = which AND organization_id = organization)
$$;

-- ========== What was asked: the journal, and calls ==========

-- Idempotency and audit in one. The row is inserted in the transaction that makes the change; a repeat of
-- the request finds it and answers the same. It names things by text, so that it outlives them.
-- `asked_from` is the phone that dialled, in a call. `phone` is the one moved onto, or for `returned` the one that was left: with
-- `*30` that brings a phone's own extension home the two differ. `left_phone` is the phone that who virtualized moved away
-- from, `displaced` the extension sent home to make room. So the rows alone, in order of `at`, tell who sat where.
-- A request that took effect after its time limit is refused here, by the last check.
CREATE TABLE journal (
    request_id text PRIMARY KEY CHECK (length(request_id) BETWEEN 1 AND 200),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at timestamptz,
    expires_at timestamptz,
    origin text NOT NULL CHECK (origin IN ('call', 'web', 'api', 'cli', 'system')),
    actor text NOT NULL DEFAULT '',
    operation text NOT NULL,
    organization text,
    extension text,
    phone text,
    outcome text NOT NULL,
    reason text NOT NULL DEFAULT '',
    left_phone text,
    displaced text,
    asked_from text,
    CONSTRAINT in_time CHECK (outcome NOT IN ('virtualized', 'returned') OR expires_at IS NULL OR at <= expires_at)
);
CREATE INDEX journal_by_phone ON journal (phone, at);
CREATE INDEX journal_by_left_phone ON journal (left_phone, at) WHERE left_phone IS NOT NULL;
CREATE INDEX journal_by_asked_from ON journal (asked_from, at) WHERE asked_from <> phone;
CREATE INDEX journal_by_extension ON journal (organization, extension, at);
CREATE INDEX journal_by_time ON journal (at);
CREATE INDEX journal_by_organization ON journal (organization, at);
CREATE INDEX journal_by_displaced ON journal (organization, displaced, at) WHERE displaced IS NOT NULL;
CREATE INDEX journal_by_rare_outcome ON journal (outcome, at) WHERE outcome NOT IN ('virtualized', 'returned');
CREATE INDEX journal_by_rare_outcome_of ON journal (organization, outcome, at) WHERE outcome NOT IN ('virtualized', 'returned');
CREATE INDEX journal_of_codes ON journal (request_id text_pattern_ops) WHERE operation = 'set_code';

-- One call to the Center: the tries it has used, on whichever node, and the proofs of a right code. `verify`
-- leaves a proof here, for one request, and `bind` demands it: a request takes effect once, so a proof is good
-- once, and for seconds.
CREATE TABLE call (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 160),
    tries int NOT NULL DEFAULT 0,
    proof_requests text[],
    proof_extension_id bigint,
    proof_at timestamptz,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX call_by_age ON call (seen_at);

-- ========== The change log ==========

-- What changed and is not numbered yet: appended by triggers in the transaction of the change, with no
-- number and no lock shared between organizations. Keys are as nodes know them:
-- e/<organization>*<number> for where an extension rings, p/<phone> for whom a phone acts as.
CREATE TABLE route_dirty (key text NOT NULL, organization_id bigint NOT NULL);

-- The compacted change log: one row a key, with the version of its last change; a key that no view shows
-- any more is a tombstone. Only `announce` writes it, under one lock, so versions are dense and in commit order.
-- A key may pass from one organization to another, so it has a row for each that had it.
CREATE TABLE route (
    key text,
    organization_id bigint,
    version bigint NOT NULL UNIQUE,
    PRIMARY KEY (key, organization_id)
) WITH (fillfactor = 80);

ALTER TABLE route_dirty SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE call SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);


-- ========== Where an extension rings, and whom a phone speaks as ==========

-- rings(e): the phone that hosts e; else e's own phone if it hosts nobody; else nowhere. `why` says which of them, and why nowhere.
-- A query that does not read `why` does not pay for its join.
CREATE VIEW rings AS
SELECT 'e/' || o.code || '*' || e.number AS key, e.id AS extension_id, e.organization_id,
       o.code AS organization, e.number,
       coalesce(host.id, own.id) AS phone_id, coalesce(host.name, own.name) AS phone,
       n.name AS node, host.id IS NOT NULL AS away, host.guest_since,
       CASE
           WHEN host.id IS NOT NULL THEN 'virtualized'
           WHEN own.id IS NOT NULL THEN 'at_home'
           WHEN NOT o.enabled THEN 'organization_disabled'
           WHEN NOT e.enabled THEN 'extension_disabled'
           WHEN desk.id IS NULL THEN 'no_phone'
           WHEN NOT desk.enabled THEN 'phone_disabled'
           ELSE 'hosts_guest'
       END AS why
FROM extension e
JOIN organization o ON o.id = e.organization_id
LEFT JOIN phone host ON host.guest_id = e.id
LEFT JOIN phone own ON own.base_id = e.id AND own.guest_id IS NULL AND host.id IS NULL
                   AND own.enabled AND e.enabled AND o.enabled
LEFT JOIN pbx_node n ON n.id = coalesce(host.node_id, own.node_id)
LEFT JOIN phone desk ON desk.base_id = e.id;

-- acts_as(p): p's guest, if any; else its base extension. The emergency identity stays the phone's own.
CREATE VIEW acts_as AS
SELECT 'p/' || p.name AS key, p.id AS phone_id, p.organization_id, p.name AS phone, o.code AS organization,
       e.number, e.name, coalesce(nullif(e.account_code, ''), o.code || '-' || e.number) AS account_code,
       coalesce(nullif(e.mailbox, ''), e.number) AS mailbox,
       b.number AS base, p.emergency_number, p.emergency_location
FROM phone p
JOIN organization o ON o.id = p.organization_id AND o.enabled
JOIN extension b ON b.id = p.base_id AND b.enabled
JOIN extension e ON e.id = coalesce(p.guest_id, p.base_id)
WHERE p.enabled;

-- Texts that are so short that every kind of node can store the row they stand in, even with the longest codes and numbers beside them: each byte
-- of them written as three makes 600, and all the rest 140. Each move asks; to write the row out would cost ten times as much.
CREATE FUNCTION has_short_texts(name text, account_code text, mailbox text, emergency_location text) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT octet_length(concat(name, account_code, mailbox, emergency_location)) <= 200
$$;

-- Whether every kind of node can store the row p/<phone> while an extension speaks there: eight fields with commas between, in which each
-- ASCII character but letters, digits and -._~ takes three bytes (roost/pbx/row_text.py). The bound is that of the kind which takes least,
-- an Asterisk behind AMI: a line has 1,024 bytes, of which 7 are not the row's. All phones keep it, whatever their nodes are: a guest's
-- row is sent to every node that serves the organization (docs/decisions/0013).
CREATE FUNCTION written_row_fits(
    organization text, number text, name text, account_code text, mailbox text, base text, host phone
) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT 7 + octet_length(written.text) + 2 * (length(written.text) - length(translate(written.text, E' !"#$%&\'()*+,/:;<=>?@[\\]^`{|}', '')))
        <= 1024 - 7
    FROM concat(organization, number, name,
                coalesce(nullif(account_code, ''), organization || '-' || number),
                coalesce(nullif(mailbox, ''), number),
                base, host.emergency_number, host.emergency_location) AS written (text)
$$;

CREATE FUNCTION row_fits(
    organization text, number text, name text, account_code text, mailbox text, base text, host phone
) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT has_short_texts(name, account_code, mailbox, host.emergency_location)
        OR written_row_fits(organization, number, name, account_code, mailbox, base, host)
$$;

-- Refuses a change after which a phone, with its own extension or with its guest, would have a row that no node can store. It looks only at what
-- changed: a row that was too long before may stay as it is, and a guest can always go home. The statement is planned once, to look rows up by
-- key; a plan for each row would cost more than all the rest of adding a phone.
CREATE FUNCTION check_rows_fit(phone_ids bigint[], speaker_id bigint) RETURNS void LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE long text;
BEGIN
    SELECT format('phone %s with extension %s', p.name, e.number) INTO long
    FROM phone p
    JOIN organization o ON o.id = p.organization_id
    JOIN extension b ON b.id = p.base_id
    CROSS JOIN LATERAL (VALUES (p.base_id), (p.guest_id)) speaker (id)
    JOIN extension e ON e.id = speaker.id
    WHERE p.id = ANY (phone_ids) AND (speaker_id IS NULL OR e.id = speaker_id) AND NOT written_row_fits(o.code, e.number, e.name, e.account_code, e.mailbox, b.number, p)
    LIMIT 1;
    IF long IS NOT NULL THEN
        RAISE EXCEPTION '%', long USING ERRCODE = 'check_violation', CONSTRAINT = 'row_fits';
    END IF;
END $$;

CREATE FUNCTION rows_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'phone' THEN
        IF TG_ARGV[0] = 'guest' THEN
            PERFORM FROM extension e WHERE e.id = NEW.guest_id AND has_short_texts(e.name, e.account_code, e.mailbox, NEW.emergency_location);
            IF FOUND THEN
                RETURN NULL;
            END IF;
        END IF;
        IF TG_OP = 'UPDATE' AND (NEW.organization_id, NEW.base_id, NEW.guest_id, NEW.emergency_number, NEW.emergency_location)
           IS NOT DISTINCT FROM (OLD.organization_id, OLD.base_id, OLD.guest_id, OLD.emergency_number, OLD.emergency_location) THEN
            RETURN NULL;
        END IF;
        PERFORM check_rows_fit(ARRAY[NEW.id], CASE TG_ARGV[0] WHEN 'guest' THEN NEW.guest_id END);
    ELSIF TG_TABLE_NAME = 'extension' THEN
        PERFORM check_rows_fit(ARRAY(SELECT id FROM phone WHERE base_id = NEW.id OR guest_id = NEW.id), NULL);
    ELSE
        PERFORM check_rows_fit(ARRAY(
            SELECT p.id FROM phone p JOIN extension e ON e.id IN (p.base_id, p.guest_id)
            WHERE p.organization_id = NEW.id
              AND NOT has_short_texts(e.name, e.account_code, e.mailbox, p.emergency_location)), NULL);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER phone_rows_fit AFTER INSERT OR UPDATE OF organization_id, base_id, emergency_number, emergency_location ON phone
    FOR EACH ROW EXECUTE FUNCTION rows_fit('all');
CREATE TRIGGER guest_row_fits AFTER UPDATE OF guest_id ON phone
    FOR EACH ROW WHEN (NEW.guest_id <> OLD.guest_id OR OLD.guest_id IS NULL AND NEW.guest_id IS NOT NULL)
    EXECUTE FUNCTION rows_fit('guest');
CREATE TRIGGER extension_rows_fit AFTER UPDATE OF number, name, account_code, mailbox ON extension
    FOR EACH ROW WHEN ((NEW.number, NEW.name, NEW.account_code, NEW.mailbox)
                       IS DISTINCT FROM (OLD.number, OLD.name, OLD.account_code, OLD.mailbox))
    EXECUTE FUNCTION rows_fit();
CREATE TRIGGER organization_rows_fit AFTER UPDATE OF code ON organization
    FOR EACH ROW WHEN (length(NEW.code) > length(OLD.code)) EXECUTE FUNCTION rows_fit();

-- ========== Who goes home by itself: stays that end, and whoever is removed or disabled ==========

-- The row of the journal for a guest who is sent home from a phone by the system, with the reason.
CREATE FUNCTION journal_sent_home(host phone, why text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO journal (request_id, origin, operation, organization, extension, phone, outcome, reason)
    SELECT 'system:' || gen_random_uuid(), 'system', 'return', o.code, e.number, host.name, 'returned', why
    FROM extension e JOIN organization o ON o.id = e.organization_id WHERE e.id = host.guest_id
$$;

-- Sends home whoever sits on these phones. The callers hold the extension's or organization's row.
CREATE FUNCTION send_home(phone_ids bigint[], why text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE host phone;
BEGIN
    FOR host IN SELECT * FROM phone WHERE id = ANY (phone_ids) ORDER BY id FOR UPDATE LOOP
        IF host.guest_id IS NOT NULL THEN
            PERFORM journal_sent_home(host, why);
            UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE id = host.id;
        END IF;
    END LOOP;
END $$;

-- A guest goes home when its host stops allowing virtualization, and when its own code or extension goes away.
CREATE FUNCTION extension_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.allows_virtualization AND NOT NEW.allows_virtualization THEN
        PERFORM send_home(ARRAY(SELECT id FROM phone WHERE base_id = NEW.id), 'host_disallowed');
    END IF;
    IF OLD.code_hash IS NOT NULL AND NEW.code_hash IS NULL THEN
        PERFORM send_home(ARRAY(SELECT id FROM phone WHERE guest_id = NEW.id), 'code_cleared');
    END IF;
    IF OLD.enabled AND NOT NEW.enabled THEN
        PERFORM send_home(ARRAY(SELECT id FROM phone WHERE NEW.id IN (guest_id, base_id)), 'extension_disabled');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER extension_changed AFTER UPDATE OF allows_virtualization, code_hash, enabled ON extension
    FOR EACH ROW EXECUTE FUNCTION extension_changed();

CREATE FUNCTION extension_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM send_home(ARRAY(SELECT id FROM phone WHERE OLD.id IN (guest_id, base_id)), 'extension_removed');
    UPDATE phone SET base_id = NULL WHERE base_id = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER extension_removed BEFORE DELETE ON extension
    FOR EACH ROW EXECUTE FUNCTION extension_removed();

-- Guests leave a phone that is disabled, given another base extension, or removed.
CREATE FUNCTION phone_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.guest_id IS NOT NULL THEN PERFORM journal_sent_home(OLD, 'phone_removed'); END IF;
        RETURN OLD;
    END IF;
    IF OLD.guest_id IS NOT NULL AND NEW.guest_id = OLD.guest_id
       AND (NOT NEW.enabled OR NEW.base_id IS DISTINCT FROM OLD.base_id) THEN
        PERFORM journal_sent_home(OLD, CASE WHEN NEW.enabled THEN 'phone_changed' ELSE 'phone_disabled' END);
        NEW.guest_id := NULL;
        NEW.guest_since := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER phone_changed BEFORE UPDATE OF enabled, base_id OR DELETE ON phone
    FOR EACH ROW EXECUTE FUNCTION phone_changed();

-- The extensions are locked first, as everyone locks them before phones: whoever is moving now ends before.
-- A removed organization takes its phones and extensions along while its code can still be read.
CREATE FUNCTION organization_leaves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM extension WHERE organization_id = OLD.id ORDER BY id FOR UPDATE;
    PERFORM send_home(ARRAY(SELECT id FROM phone WHERE organization_id = OLD.id), 'organization_removed');
    DELETE FROM phone WHERE organization_id = OLD.id;
    DELETE FROM extension WHERE organization_id = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER organization_removed BEFORE DELETE ON organization
    FOR EACH ROW EXECUTE FUNCTION organization_leaves();


-- ========== What the nodes must be told: every change of what the views show ==========

-- What a route depends on, noted as changed. A renamed thing is noted under both names.
CREATE FUNCTION phone_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO route_dirty (key, organization_id)
    SELECT 'e/' || o.code || '*' || e.number, o.id FROM extension e JOIN organization o ON o.id = e.organization_id
    WHERE e.id IN (OLD.base_id, OLD.guest_id, NEW.base_id, NEW.guest_id)
    UNION ALL SELECT 'p/' || OLD.name, OLD.organization_id WHERE OLD.name IS NOT NULL
    UNION ALL SELECT 'p/' || NEW.name, NEW.organization_id
              WHERE (NEW.name, NEW.organization_id) IS DISTINCT FROM (OLD.name, OLD.organization_id)
                AND NEW.name IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER phone_dirty AFTER INSERT OR DELETE OR UPDATE OF name, organization_id, node_id, base_id, guest_id,
    emergency_number, emergency_location, enabled ON phone
    FOR EACH ROW EXECUTE FUNCTION phone_dirty();

-- While its organization is being renamed the nodes may hold its key with a code from before, and no step comes by an extension that is gone.
CREATE FUNCTION extension_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO route_dirty (key, organization_id)
    SELECT 'e/' || o.code || '*' || x.number, o.id
    FROM (SELECT OLD.organization_id, OLD.number UNION SELECT NEW.organization_id, NEW.number) x
    JOIN organization o ON o.id = x.organization_id
    UNION ALL SELECT 'e/' || before.code || '*' || OLD.number, c.organization_id
              FROM organization_change c, unnest(c.old_codes) before (code) WHERE c.organization_id = OLD.organization_id
    UNION ALL SELECT 'p/' || name, organization_id FROM phone WHERE base_id = NEW.id
    UNION ALL SELECT 'p/' || name, organization_id FROM phone WHERE guest_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER extension_born AFTER INSERT OR DELETE ON extension
    FOR EACH ROW EXECUTE FUNCTION extension_dirty();
CREATE TRIGGER extension_dirty AFTER UPDATE OF number, name, account_code, mailbox, enabled, organization_id ON extension
    FOR EACH ROW EXECUTE FUNCTION extension_dirty();

-- One step of what is left to do for an organization (`organization_change`): the next `most` extensions, with their phones. They are
-- locked first: a move that was made meanwhile is either seen here, or sees that the organization is disabled. False: nothing is left. The
-- triggers of each row plan their statements once, and look everything up by key.
CREATE FUNCTION step_organization(which bigint, most int) RETURNS bool LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    change organization_change;
    o organization;
    piece bigint[];
    desks bigint[];
BEGIN
    SELECT * INTO change FROM organization_change WHERE organization_id = which FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    SELECT * INTO o FROM organization WHERE id = which;
    piece := ARRAY(SELECT id FROM extension WHERE organization_id = which AND id > change.after_id ORDER BY id LIMIT most FOR UPDATE);
    desks := ARRAY(SELECT id FROM phone WHERE base_id = ANY (piece) UNION SELECT id FROM phone WHERE guest_id = ANY (piece));
    IF NOT o.enabled THEN
        PERFORM send_home(desks, CASE WHEN change.removing THEN 'organization_removed' ELSE 'organization_disabled' END);
    END IF;
    IF change.removing THEN
        DELETE FROM phone WHERE base_id = ANY (piece);
        DELETE FROM extension WHERE id = ANY (piece);
        IF piece = '{}' THEN -- phones without an extension
            DELETE FROM phone WHERE id = ANY (ARRAY(SELECT id FROM phone WHERE organization_id = which LIMIT most));
            IF NOT FOUND THEN
                DELETE FROM organization WHERE id = which;
                RETURN false;
            END IF;
        END IF;
    ELSE
        INSERT INTO route_dirty (key, organization_id)
        SELECT 'e/' || code || '*' || number, which FROM unnest(change.old_codes || o.code) codes (code), extension WHERE id = ANY (piece)
        UNION ALL SELECT 'p/' || name, which FROM phone WHERE id = ANY (desks);
        IF cardinality(piece) < most THEN
            DELETE FROM organization_change WHERE organization_id = which;
            RETURN false;
        END IF;
    END IF;
    UPDATE organization_change SET after_id = coalesce(piece[cardinality(piece)], after_id), done = done + cardinality(piece),
                                   seen_at = clock_timestamp()
    WHERE organization_id = which;
    RETURN true;
END $$;

-- All routes of an organization change with its code, and with whether it is enabled. The first step is taken at once, which is all that
-- a small organization needs.
CREATE FUNCTION organization_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.code, NEW.enabled) = (OLD.code, OLD.enabled) THEN RETURN NULL; END IF;
    IF NEW.enabled AND EXISTS (SELECT FROM organization_change WHERE organization_id = NEW.id AND removing) THEN
        RAISE EXCEPTION 'the organization is being removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'organization_is_removed';
    END IF;
    INSERT INTO organization_change (organization_id, old_codes, total)
    SELECT NEW.id, CASE WHEN NEW.code <> OLD.code THEN ARRAY[OLD.code] ELSE '{}' END, count(*) FROM extension WHERE organization_id = NEW.id
    ON CONFLICT (organization_id) DO UPDATE
    SET old_codes = organization_change.old_codes || excluded.old_codes, after_id = 0, done = 0, total = excluded.total;
    PERFORM step_organization(NEW.id, 500);
    RETURN NULL;
END $$;
CREATE TRIGGER organization_dirty AFTER UPDATE OF code, enabled ON organization
    FOR EACH ROW EXECUTE FUNCTION organization_dirty();

CREATE FUNCTION node_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO route_dirty (key, organization_id)
    SELECT r.key, r.organization_id FROM rings r JOIN phone p ON p.id = r.phone_id WHERE p.node_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER node_dirty AFTER UPDATE OF name ON pbx_node
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION node_dirty();

-- ========== Which organizations a node serves ==========

-- A phone is homed on a node that serves its organization.
CREATE FUNCTION check_homed_phones(which bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE stray text;
BEGIN
    SELECT p.name INTO stray FROM phone p
    WHERE p.node_id = which AND NOT (SELECT serves_all FROM pbx_node WHERE id = which)
      AND NOT EXISTS (SELECT FROM node_scope s WHERE s.node_id = which AND s.organization_id = p.organization_id)
    LIMIT 1;
    IF stray IS NOT NULL THEN
        RAISE EXCEPTION 'phone % is homed on a node that does not serve its organization', stray
            USING ERRCODE = 'check_violation', CONSTRAINT = 'node_serves_organization';
    END IF;
END $$;

CREATE FUNCTION phone_homed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT node_serves(NEW.node_id, NEW.organization_id) THEN
        PERFORM check_homed_phones(NEW.node_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER phone_homed AFTER INSERT OR UPDATE OF node_id, organization_id ON phone
    FOR EACH ROW EXECUTE FUNCTION phone_homed();

-- With another scope, a node's whole table is compared; also when that is asked for already, for a push may have begun to send it, with the
-- scope from before, and not be seen yet. Rows that it refused are tried again: those that it is to have no more are forgotten so, which
-- a comparison would not find. The phones of the node are looked at once a statement, not once a row.
CREATE FUNCTION node_scope_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE node bigint;
BEGIN
    FOR node IN SELECT DISTINCT node_id FROM changed LOOP
        UPDATE pbx_node SET resync = true WHERE id = node;
        UPDATE node_refused_row SET due = true WHERE node_id = node AND NOT due;
        IF TG_OP = 'DELETE' THEN PERFORM check_homed_phones(node); END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER node_scope_changed AFTER INSERT ON node_scope
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION node_scope_changed();
CREATE TRIGGER node_scope_left AFTER DELETE ON node_scope
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION node_scope_changed();

CREATE FUNCTION node_serving_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pbx_node SET resync = true WHERE id = NEW.id;
    UPDATE node_refused_row SET due = true WHERE node_id = NEW.id AND NOT due;
    PERFORM check_homed_phones(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER node_serving_changed AFTER UPDATE OF serves_all ON pbx_node
    FOR EACH ROW WHEN (OLD.serves_all <> NEW.serves_all) EXECUTE FUNCTION node_serving_changed();


-- ========== Who may: people, sessions, tokens ==========

-- Who may sign in to the page: an operator sees the whole cluster, an administrator one organization, an
-- owner one extension; the shape of the row says which. `password_hash` is argon2id. A person goes with the
-- organization or the extension it belongs to.
CREATE TABLE person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    name text NOT NULL DEFAULT '' CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) <= 64),
    role text NOT NULL CHECK (role IN ('operator', 'administrator', 'owner')),
    organization_id bigint REFERENCES organization ON DELETE CASCADE,
    extension_id bigint,
    password_hash text NOT NULL,
    enabled bool NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (organization_id, extension_id) REFERENCES extension (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT role_fits CHECK ((role = 'operator') = (organization_id IS NULL) AND (role = 'owner') = (extension_id IS NOT NULL))
);
CREATE INDEX person_by_organization_and_login ON person (organization_id, login);
CREATE INDEX person_by_extension ON person (extension_id);

-- A browser that signed in. Only the SHA-256 of its 256 random bits is here: who reads the table can be nobody.
-- It ends at `expires_at`, after a time unused, and with its person.
CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    person_id bigint NOT NULL REFERENCES person ON DELETE CASCADE,
    address text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_person ON session (person_id);

-- Tries to sign in that have not succeeded, for the limits by account and by address (roost/people/sign_in_limits.py). A try is
-- noted before the password is compared, so that many at once count too. `browser`: it came from a known one.
CREATE TABLE sign_in_try (
    login text NOT NULL,
    address text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    browser bytea
);
CREATE INDEX sign_in_try_by_login ON sign_in_try (login, at);
CREATE INDEX sign_in_try_by_address ON sign_in_try (address, at);

-- Browsers in which a person has signed in before: not a session, but no stranger at that account. The SHA-256 of what it shows.
CREATE TABLE known_browser (
    browser bytea,
    person_id bigint REFERENCES person ON DELETE CASCADE,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (browser, person_id)
);
CREATE INDEX known_browser_by_person ON known_browser (person_id);

-- What a program shows to the API; hashed as a session is, and shown once. `organization_id` NULL: the cluster.
CREATE TABLE token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) BETWEEN 1 AND 64),
    token_hash bytea NOT NULL UNIQUE,
    organization_id bigint REFERENCES organization ON DELETE CASCADE,
    access text NOT NULL CHECK (access IN ('read', 'operate', 'administer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT '',
    expires_at timestamptz,
    used_at timestamptz
);
CREATE INDEX token_by_organization_and_id ON token (organization_id, id);
