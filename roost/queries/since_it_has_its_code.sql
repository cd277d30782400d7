-- Whether a row of the journal is of the organization that has this code today, and not of one that had it before: a condition that other
-- statements include. Of an organization that is gone, every row.
at >= coalesce((SELECT code_since FROM organization WHERE code = %(organization)s), '-infinity')
