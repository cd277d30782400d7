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
