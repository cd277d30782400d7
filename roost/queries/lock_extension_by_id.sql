SELECT id FROM extension WHERE id = %(extension_id)s FOR NO KEY UPDATE
