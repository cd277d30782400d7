-- One row that says nothing: fingerprints stand beside it.
SELECT 1 AS one
