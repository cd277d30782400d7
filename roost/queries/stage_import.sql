-- The rows of an import; the table is dropped with the transaction. `extension_fields` and `phone_fields` hold what a row gives, by
-- the names of columns of those tables; an empty cell is left out.
CREATE TEMP TABLE staged (
    line int PRIMARY KEY, organization text NOT NULL, number text NOT NULL, phone text, node text,
    extension_fields jsonb NOT NULL, phone_fields jsonb NOT NULL
) ON COMMIT DROP
