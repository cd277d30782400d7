SELECT (SELECT count(*) FROM staged) AS desks,
       count(*) FILTER (WHERE kind = 'extension' AND added) AS extensions_added,
       count(*) FILTER (WHERE kind = 'extension' AND NOT added) AS extensions_changed,
       count(*) FILTER (WHERE kind = 'phone' AND added) AS phones_added,
       count(*) FILTER (WHERE kind = 'phone' AND NOT added) AS phones_changed
FROM import_change
