-- What came of several requests, done in one transaction, in their order.
SELECT * FROM settle_together(%(jobs)s)
