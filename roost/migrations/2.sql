-- From 0.1.0 (version 1) to 0.2.0. Programs of 0.1.0 go on meanwhile and afterwards: nothing that they read or write is dropped or
-- renamed, and what is added has a default. Each paragraph is a transaction of its own, for it closes a table to everybody and
-- must not wait for a second one meanwhile: so it changes one table, and does no harm when it is run again.

-- 0.1.0 goes on only while its own table, `roost_schema`, says 1.
CREATE TABLE IF NOT EXISTS roost_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
GRANT SELECT ON roost_version TO PUBLIC;
INSERT INTO roost_version SELECT version, applied_at FROM roost_schema ON CONFLICT DO NOTHING;

-- Each row of the journal names the phone that dialled.
ALTER TABLE journal ADD COLUMN IF NOT EXISTS asked_from text;

CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_by_asked_from ON journal (asked_from, at) WHERE asked_from <> phone;

CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_of_codes ON journal (request_id text_pattern_ops) WHERE operation = 'set_code';

-- Fields hold no control character, whatever the database's locale takes for one. What is there already is mended, while everybody goes on.
-- It comes before the triggers that refuse a row which no node can store: one that was too long before stays as it is.
DROP TRIGGER IF EXISTS extension_rows_fit ON extension;
ALTER TABLE extension
    DROP CONSTRAINT IF EXISTS extension_name_check,
    ADD CONSTRAINT extension_name_check CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) <= 64) NOT VALID;

UPDATE extension SET name = regexp_replace(name, '[\u0080-\u009f]', '', 'g') WHERE name ~ '[\u0080-\u009f]';

ALTER TABLE extension VALIDATE CONSTRAINT extension_name_check;

DROP TRIGGER IF EXISTS phone_rows_fit ON phone;
ALTER TABLE phone
    DROP CONSTRAINT IF EXISTS phone_emergency_location_check,
    ADD CONSTRAINT phone_emergency_location_check
        CHECK (emergency_location !~ '[\u0001-\u001f\u007f-\u009f]' AND octet_length(emergency_location) <= 256) NOT VALID;

UPDATE phone SET emergency_location = regexp_replace(emergency_location, '[\u0080-\u009f]', '', 'g')
WHERE emergency_location ~ '[\u0080-\u009f]';

ALTER TABLE phone VALIDATE CONSTRAINT phone_emergency_location_check;

-- Texts that are so short that every kind of node can store the row they stand in, even with the longest codes and numbers beside them: each byte
-- of them written as three makes 600, and all the rest 140. Each move asks; to write the row out would cost ten times as much.
CREATE OR REPLACE FUNCTION has_short_texts(name text, account_code text, mailbox text, emergency_location text) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT octet_length(concat(name, account_code, mailbox, emergency_location)) <= 200
$$;

-- Whether a node can store the row p/<phone> while `speaker` speaks there: eight fields with commas between, in which each ASCII
-- character but letters, digits and -._~ takes three bytes (roost/pbx/ami/astdb.py). A line of AMI has 1,024 bytes, of which
-- 7 are not the row's.
CREATE OR REPLACE FUNCTION written_row_fits(
    organization text, number text, name text, account_code text, mailbox text, base text, host phone
) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT 7 + octet_length(written.text) + 2 * (length(written.text) - length(translate(written.text, E' !"#$%&\'()*+,/:;<=>?@[\\]^`{|}', '')))
        <= 1024 - 7
    FROM concat(organization, number, name,
                coalesce(nullif(account_code, ''), organization || '-' || number),
                coalesce(nullif(mailbox, ''), number),
                base, host.emergency_number, host.emergency_location) AS written (text)
$$;

CREATE OR REPLACE FUNCTION row_fits(
    organization text, number text, name text, account_code text, mailbox text, base text, host phone
) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT has_short_texts(name, account_code, mailbox, host.emergency_location)
        OR written_row_fits(organization, number, name, account_code, mailbox, base, host)
$$;

-- Refuses a change after which a phone with its own extension, or with its guest, would have a row that no node can store. Only
-- what changed is looked at, so that a long row of older times can still be left, and a guest can always go home. To plan it for each row anew would cost more than all
-- the rest of adding a phone: it is planned once, and always to look rows up by key.
CREATE OR REPLACE FUNCTION check_rows_fit(phone_ids bigint[], speaker_id bigint) RETURNS void LANGUAGE plpgsql
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

CREATE OR REPLACE FUNCTION rows_fit() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE TRIGGER phone_rows_fit AFTER INSERT OR UPDATE OF organization_id, base_id, emergency_number, emergency_location ON phone
    FOR EACH ROW EXECUTE FUNCTION rows_fit('all');
CREATE OR REPLACE TRIGGER guest_row_fits AFTER UPDATE OF guest_id ON phone
    FOR EACH ROW WHEN (NEW.guest_id <> OLD.guest_id OR OLD.guest_id IS NULL AND NEW.guest_id IS NOT NULL)
    EXECUTE FUNCTION rows_fit('guest');

CREATE OR REPLACE TRIGGER extension_rows_fit AFTER UPDATE OF number, name, account_code, mailbox ON extension
    FOR EACH ROW WHEN ((NEW.number, NEW.name, NEW.account_code, NEW.mailbox)
                       IS DISTINCT FROM (OLD.number, OLD.name, OLD.account_code, OLD.mailbox))
    EXECUTE FUNCTION rows_fit();

CREATE OR REPLACE TRIGGER organization_rows_fit AFTER UPDATE OF code ON organization
    FOR EACH ROW WHEN (length(NEW.code) > length(OLD.code)) EXECUTE FUNCTION rows_fit();

ALTER TABLE pbx_node
    ADD COLUMN IF NOT EXISTS failing_since timestamptz,
    ADD COLUMN IF NOT EXISTS failure text,
    ADD COLUMN IF NOT EXISTS send_began_at timestamptz,
    ADD COLUMN IF NOT EXISTS send_done bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS send_total bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS written_until timestamptz;

CREATE TABLE IF NOT EXISTS node_audit (
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

CREATE TABLE IF NOT EXISTS node_refused_row (
    node_id bigint REFERENCES pbx_node ON DELETE CASCADE,
    key text,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    due bool NOT NULL DEFAULT false,
    PRIMARY KEY (node_id, key)
);

-- Options of a node that its kind declares.
ALTER TABLE pbx_node ADD COLUMN IF NOT EXISTS options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object');

-- A time zone is known when it is set, and no more at each change of the row: an organization whose zone a newer tzdata has no more
-- can be upgraded, too.
CREATE OR REPLACE FUNCTION time_zone_is_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.timezone <> OLD.timezone THEN
        PERFORM now() AT TIME ZONE NEW.timezone;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER time_zone_is_known AFTER INSERT OR UPDATE OF timezone ON organization
    FOR EACH ROW EXECUTE FUNCTION time_zone_is_known();
ALTER TABLE organization DROP CONSTRAINT IF EXISTS organization_timezone_check;

-- A lock of the phone besides that of the extension. What an organization had set now holds for its phones, and an extension takes
-- three times as many. Only who adds the column changes what was set.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'organization'::regclass AND attname = 'phone_lock_after') THEN
        ALTER TABLE organization
            ALTER COLUMN lock_after SET DEFAULT 27,
            ADD COLUMN phone_lock_after int NOT NULL DEFAULT 9 CHECK (phone_lock_after BETWEEN 1 AND 1000);
        UPDATE organization SET phone_lock_after = least(lock_after, 1000), lock_after = least(3 * lock_after::bigint, 1000);
    END IF;
END $$;

ALTER TABLE extension
    ADD COLUMN IF NOT EXISTS failed_on bigint,
    ADD COLUMN IF NOT EXISTS locks int NOT NULL DEFAULT 0;

-- Wrong codes are counted on the phone, and no node is told of them.
ALTER TABLE phone
    ADD COLUMN IF NOT EXISTS failed_codes int NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS locked_until timestamptz,
    ADD COLUMN IF NOT EXISTS locks int NOT NULL DEFAULT 0;
CREATE OR REPLACE TRIGGER phone_dirty AFTER INSERT OR DELETE OR UPDATE OF name, organization_id, node_id, base_id, guest_id,
    emergency_number, emergency_location, enabled ON phone
    FOR EACH ROW EXECUTE FUNCTION phone_dirty();

ALTER TABLE organization ADD COLUMN IF NOT EXISTS allows_weak_codes bool NOT NULL DEFAULT false;

-- What concerns all extensions of an organization is done in steps.
CREATE TABLE IF NOT EXISTS organization_change (
    organization_id bigint PRIMARY KEY REFERENCES organization ON DELETE CASCADE,
    removing bool NOT NULL DEFAULT false,
    old_codes text[] NOT NULL DEFAULT '{}',
    after_id bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

CREATE OR REPLACE FUNCTION step_organization(which bigint, most int) RETURNS bool LANGUAGE plpgsql
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

-- The function for disabled organizations went with its trigger; the one for removed ones stays.
CREATE OR REPLACE FUNCTION organization_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE FUNCTION organization_leaves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM extension WHERE organization_id = OLD.id ORDER BY id FOR UPDATE;
    PERFORM send_home(ARRAY(SELECT id FROM phone WHERE organization_id = OLD.id), 'organization_removed');
    DELETE FROM phone WHERE organization_id = OLD.id;
    DELETE FROM extension WHERE organization_id = OLD.id;
    RETURN OLD;
END $$;
DROP TRIGGER IF EXISTS organization_disabled ON organization;

CREATE OR REPLACE FUNCTION check_homed_phones(which bigint) RETURNS void LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION node_scope_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE node bigint;
BEGIN
    FOR node IN SELECT DISTINCT node_id FROM changed LOOP
        UPDATE pbx_node SET resync = true WHERE id = node;
        UPDATE node_refused_row SET due = true WHERE node_id = node AND NOT due;
        IF TG_OP = 'DELETE' THEN PERFORM check_homed_phones(node); END IF;
    END LOOP;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS node_scope_changed ON node_scope;
DROP TRIGGER IF EXISTS node_scope_left ON node_scope;
CREATE TRIGGER node_scope_changed AFTER INSERT ON node_scope
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION node_scope_changed();
CREATE TRIGGER node_scope_left AFTER DELETE ON node_scope
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION node_scope_changed();

CREATE OR REPLACE FUNCTION node_serving_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pbx_node SET resync = true WHERE id = NEW.id;
    UPDATE node_refused_row SET due = true WHERE node_id = NEW.id AND NOT due;
    PERFORM check_homed_phones(NEW.id);
    RETURN NULL;
END $$;

-- The same for names in small tables; wrong codes that lock are bounded.
UPDATE organization SET name = regexp_replace(name, '[\u0080-\u009f]', '', 'g'), lock_after = least(lock_after, 1000)
WHERE name ~ '[\u0080-\u009f]' OR lock_after > 1000;
ALTER TABLE organization
    DROP CONSTRAINT IF EXISTS organization_name_check,
    ADD CONSTRAINT organization_name_check CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) <= 64),
    DROP CONSTRAINT IF EXISTS organization_lock_after_check,
    ADD CONSTRAINT organization_lock_after_check CHECK (lock_after BETWEEN 1 AND 1000);

-- Since when an organization has its code. Of those that are there nobody knows it.
ALTER TABLE organization ADD COLUMN IF NOT EXISTS code_since timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE organization ALTER COLUMN code_since SET DEFAULT clock_timestamp();

-- Durations have an end, and a day has no 24:00, which psycopg cannot read.
UPDATE organization
SET max_stay = CASE WHEN max_stay > interval '300 years' THEN interval '300 years' ELSE max_stay END,
    lock_for = least(lock_for, interval '300 years'),
    daily_return = CASE WHEN daily_return = '24:00' THEN '00:00' ELSE daily_return END
WHERE max_stay > interval '300 years' OR lock_for > interval '300 years' OR daily_return = '24:00';
ALTER TABLE organization
    DROP CONSTRAINT IF EXISTS organization_max_stay_check,
    ADD CONSTRAINT organization_max_stay_check CHECK (max_stay > interval '0' AND max_stay <= interval '300 years'),
    DROP CONSTRAINT IF EXISTS organization_lock_for_check,
    ADD CONSTRAINT organization_lock_for_check CHECK (lock_for > interval '0' AND lock_for <= interval '300 years'),
    DROP CONSTRAINT IF EXISTS organization_daily_return_check,
    ADD CONSTRAINT organization_daily_return_check CHECK (daily_return < '24:00');

ALTER TABLE extension
    DROP CONSTRAINT IF EXISTS extension_max_stay_check,
    ADD CONSTRAINT extension_max_stay_check CHECK (max_stay > interval '0' AND max_stay <= interval '300 years') NOT VALID,
    DROP CONSTRAINT IF EXISTS extension_daily_return_check,
    ADD CONSTRAINT extension_daily_return_check CHECK (daily_return < '24:00') NOT VALID;

UPDATE extension
SET max_stay = CASE WHEN max_stay > interval '300 years' THEN interval '300 years' ELSE max_stay END,
    daily_return = CASE WHEN daily_return = '24:00' THEN '00:00' ELSE daily_return END
WHERE max_stay > interval '300 years' OR daily_return = '24:00';

ALTER TABLE extension VALIDATE CONSTRAINT extension_max_stay_check, VALIDATE CONSTRAINT extension_daily_return_check;

UPDATE person SET name = regexp_replace(name, '[\u0080-\u009f]', '', 'g') WHERE name ~ '[\u0080-\u009f]';
ALTER TABLE person
    DROP CONSTRAINT IF EXISTS person_name_check,
    ADD CONSTRAINT person_name_check CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) <= 64);

UPDATE token SET name = coalesce(nullif(regexp_replace(name, '[\u0080-\u009f]', '', 'g'), ''), 'token') WHERE name ~ '[\u0080-\u009f]';
ALTER TABLE token
    DROP CONSTRAINT IF EXISTS token_name_check,
    ADD CONSTRAINT token_name_check CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]' AND length(name) BETWEEN 1 AND 64);

-- Why an extension rings where it does.
CREATE OR REPLACE VIEW rings AS
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

-- A desk is found by how a word of a name begins, or its phone's name, and who sits elsewhere by an index too. Each is built while others
-- write, so it is a paragraph of its own.
CREATE OR REPLACE FUNCTION words_of(organization bigint, name text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_tsvector(string_to_array(
        ltrim(regexp_replace(' ' || lower(name), '[^[:alnum:]]+', ' ' || organization::text || ':', 'g')), ' '))
$$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS extension_by_words ON extension USING gin (words_of(organization_id, name))
    WITH (gin_pending_list_limit = 256);

CREATE INDEX CONCURRENTLY IF NOT EXISTS phone_by_start_of_name ON phone (organization_id, lower(name) text_pattern_ops);

CREATE INDEX CONCURRENTLY IF NOT EXISTS phone_with_guest ON phone (organization_id, guest_since) WHERE guest_since IS NOT NULL;

-- Each of the two is looked up by its index, also in a plan that was made while there were few phones.
CREATE OR REPLACE FUNCTION extension_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
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

ALTER TABLE sign_in_try ADD COLUMN IF NOT EXISTS browser bytea;

CREATE TABLE IF NOT EXISTS known_browser (
    browser bytea,
    person_id bigint REFERENCES person ON DELETE CASCADE,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (browser, person_id)
);
CREATE INDEX IF NOT EXISTS known_browser_by_person ON known_browser (person_id);

-- Pages of the journal, each by its index. These are built while others write, so each is a paragraph of its own.
CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_by_organization ON journal (organization, at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_by_displaced ON journal (organization, displaced, at) WHERE displaced IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_by_rare_outcome ON journal (outcome, at) WHERE outcome NOT IN ('virtualized', 'returned');

CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_by_rare_outcome_of ON journal (organization, outcome, at)
    WHERE outcome NOT IN ('virtualized', 'returned');

-- Lists of phones, each by its index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS phone_by_organization_and_name ON phone (organization_id, name);

CREATE INDEX CONCURRENTLY IF NOT EXISTS phone_by_node_and_name ON phone (node_id, name);

CREATE INDEX CONCURRENTLY IF NOT EXISTS phone_without_base ON phone (organization_id, name) WHERE base_id IS NULL;

-- Lists of an organization's people and tokens, each by its index.
CREATE INDEX IF NOT EXISTS person_by_organization_and_login ON person (organization_id, login);

CREATE INDEX IF NOT EXISTS token_by_organization_and_id ON token (organization_id, id);

-- Indexes that longer ones begin with: those serve what these did, and each move writes every index of `phone`.
DROP INDEX IF EXISTS phone_by_node, phone_by_organization;

DROP INDEX IF EXISTS person_by_organization;

DROP INDEX IF EXISTS token_by_organization;
