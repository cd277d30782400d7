-- What goes on with an organization, and how far it is: columns that other statements include.
CASE WHEN c.removing THEN 'removal' WHEN c.organization_id IS NOT NULL THEN 'change' END AS doing,
       c.done AS extensions_done, c.total AS extensions_total
