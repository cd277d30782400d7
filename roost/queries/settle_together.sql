-- What came of several requests, done in one transaction, in their order; all NULL for one that was not done, since somebody holds a row that it needs.
SELECT * FROM settle_together(%(jobs)s, %(skip_held)s)
