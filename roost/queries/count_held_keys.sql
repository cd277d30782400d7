-- How many keys nodes may have been told: those of what was removed count too.
SELECT count(*) FROM route
