-- The next phones that a node with a scope must have as text: the last id, how many there are, a line for each name, and a line with the fields of each.
SELECT max(id), count(phone), convert_to(string_agg(phone, E'\n') || E'\n', 'UTF8'),
       convert_to(string_agg(concat_ws(E'\t', organization, number, name, account_code, mailbox, base, emergency_number, emergency_location), E'\n')
                  FILTER (WHERE phone IS NOT NULL) || E'\n', 'UTF8')
FROM (/* include list_piece_of_served_phones */) piece
