SELECT substr(key, 3) AS extension, node, phone FROM rings
WHERE /* include in_scope */
