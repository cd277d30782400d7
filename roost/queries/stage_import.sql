-- The rows of an import, gone with the transaction. The last two columns hold the fields that a row gives, by the names of their
-- columns in `extension` and `phone`; what the row does not say is left out.
CREATE TEMP TABLE staged (
    line int PRIMARY KEY, organization text NOT NULL, number text NOT NULL, phone text, node text,
    extension_fields jsonb NOT NULL, phone_fields jsonb NOT NULL
) ON COMMIT DROP
