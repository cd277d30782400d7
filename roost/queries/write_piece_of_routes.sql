-- The next extensions as text: the last id, how many there are, a line for each key, and a line that says where each rings.
SELECT max(id), count(extension), convert_to(string_agg(extension, E'\n') || E'\n', 'UTF8'),
       convert_to(string_agg(CASE WHEN node IS NULL AND phone IS NULL THEN '-' ELSE concat(node, '/', phone) END, E'\n') || E'\n', 'UTF8')
FROM (/* include list_piece_of_routes */) piece
