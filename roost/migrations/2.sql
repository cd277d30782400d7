-- From 0.1.0 (version 1) to 0.2.0. Programs of 0.1.0 go on meanwhile and afterwards: nothing that they read or write is dropped or
-- renamed, and what is added has a default. Each paragraph is a transaction of its own, for it closes a table to everybody and
-- must not wait for a second one meanwhile: so it changes one table, and does no harm when it is run again.

-- 0.1.0 goes on only while its own table, `roost_schema`, says 1.
CREATE TABLE IF NOT EXISTS roost_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
GRANT SELECT ON roost_version TO PUBLIC;
INSERT INTO roost_version SELECT version, applied_at FROM roost_schema ON CONFLICT DO NOTHING;

-- Each row of the journal names the phone that dialled.
ALTER TABLE journal ADD COLUMN IF NOT EXISTS asked_from text;

CREATE INDEX IF NOT EXISTS journal_by_asked_from ON journal (asked_from, at) WHERE asked_from <> phone;

-- Whether a node can store the row p/<phone> while `speaker` speaks there: eight fields with commas between, in which each ASCII
-- character but letters, digits and -._~ takes three bytes (roost/pbx/ami/astdb.py). A line of AMI has 1,024 bytes, of which
-- 7 are not the row's.
CREATE OR REPLACE FUNCTION row_fits(organization text, speaker extension, base text, host phone) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT 7 + octet_length(written.text) + 2 * (length(written.text) - length(translate(written.text, E' !"#$%&\'()*+,/:;<=>?@[\\]^`{|}', '')))
        <= 1024 - 7
    FROM concat(organization, speaker.number, speaker.name,
                coalesce(nullif(speaker.account_code, ''), organization || '-' || speaker.number),
                coalesce(nullif(speaker.mailbox, ''), speaker.number),
                base, host.emergency_number, host.emergency_location) AS written (text)
$$;

-- Refuses a change after which a phone with its own extension, or with its guest, would have a row that no node can store. Only
-- what changed is looked at, so that a long row of older times can still be left, and a guest can always go home.
CREATE OR REPLACE FUNCTION check_rows_fit(phone_ids bigint[], speaker_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE long text;
BEGIN
    SELECT format('phone %s with extension %s', p.name, e.number) INTO long
    FROM phone p
    JOIN organization o ON o.id = p.organization_id
    JOIN extension b ON b.id = p.base_id
    JOIN extension e ON e.id IN (p.base_id, p.guest_id)
    WHERE p.id = ANY (phone_ids) AND (speaker_id IS NULL OR e.id = speaker_id) AND NOT row_fits(o.code, e, b.number, p)
    LIMIT 1;
    IF long IS NOT NULL THEN
        RAISE EXCEPTION '%', long USING ERRCODE = 'check_violation', CONSTRAINT = 'row_fits';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION rows_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'phone' THEN
        IF TG_OP = 'UPDATE' AND (NEW.organization_id, NEW.base_id, NEW.guest_id, NEW.emergency_number, NEW.emergency_location)
           IS NOT DISTINCT FROM (OLD.organization_id, OLD.base_id, OLD.guest_id, OLD.emergency_number, OLD.emergency_location) THEN
            RETURN NULL;
        END IF;
        PERFORM check_rows_fit(ARRAY[NEW.id], CASE TG_ARGV[0] WHEN 'guest' THEN NEW.guest_id END);
    ELSIF TG_TABLE_NAME = 'extension' THEN
        PERFORM check_rows_fit(ARRAY(SELECT id FROM phone WHERE base_id = NEW.id OR guest_id = NEW.id), NULL);
    ELSE
        PERFORM check_rows_fit(ARRAY(SELECT id FROM phone WHERE organization_id = NEW.id), NULL);
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
    FOR EACH ROW WHEN (NEW.code <> OLD.code) EXECUTE FUNCTION rows_fit();

ALTER TABLE pbx_node
    ADD COLUMN IF NOT EXISTS failing_since timestamptz,
    ADD COLUMN IF NOT EXISTS failure text,
    ADD COLUMN IF NOT EXISTS send_began_at timestamptz,
    ADD COLUMN IF NOT EXISTS send_done bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS send_total bigint NOT NULL DEFAULT 0;

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

-- A lock of the phone besides that of the extension. What an organization had set now holds for its phones, and an extension takes
-- three times as many. Only who adds the column changes what was set.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'organization'::regclass AND attname = 'phone_lock_after') THEN
        ALTER TABLE organization
            ALTER COLUMN lock_after SET DEFAULT 27,
            ADD COLUMN phone_lock_after int NOT NULL DEFAULT 9 CHECK (phone_lock_after > 0);
        UPDATE organization SET phone_lock_after = lock_after, lock_after = least(3 * lock_after::bigint, 1000);
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
