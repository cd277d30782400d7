-- Compares and sets codes: the only one that writes them. It moves nobody, and sees no node.
GRANT SELECT ON organization, extension, phone, journal, call TO {role};
GRANT UPDATE (code_hash, code_set_at, failed_codes, failed_on, locks, locked_until) ON extension TO {role};
GRANT UPDATE (failed_codes, locks, locked_until) ON phone TO {role};
GRANT INSERT, UPDATE ON call TO {role};
GRANT INSERT ON journal TO {role};
