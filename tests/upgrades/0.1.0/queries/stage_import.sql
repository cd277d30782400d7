-- The rows of an import, gone with the transaction. NULL: the file does not say.
CREATE TEMP TABLE staged (
    line int PRIMARY KEY, organization text NOT NULL, number text NOT NULL, name text, account_code text, mailbox text,
    allows_virtualization bool, phone text, node text, emergency_number text, emergency_location text
) ON COMMIT DROP
