-- One row, for a page that needs only the fingerprints that are added to it.
SELECT 1 AS one
