-- From 0.1.0 (version 1) to 0.2.0. Workers of 0.1.0 go on meanwhile and afterwards: nothing that they read or write is dropped
-- or renamed, and what is added has a default.

-- 0.1.0 goes on only while its own table, `roost_schema`, says 1.
CREATE TABLE roost_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
INSERT INTO roost_version SELECT version, applied_at FROM roost_schema;
