-- The verify workers: they compare and set codes, and nobody else writes codes. They move nobody, and see no node.
GRANT SELECT ON organization, extension, phone, journal, call TO {role};
GRANT UPDATE (code_hash, code_set_at, failed_codes, failed_on, locks, locked_until) ON extension TO {role};
GRANT UPDATE (failed_codes, locks, locked_until) ON phone TO {role};
GRANT INSERT, UPDATE ON call TO {role};
GRANT INSERT ON journal TO {role};
