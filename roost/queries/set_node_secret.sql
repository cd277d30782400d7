-- Sets what a node is logged in to with, sealed.
UPDATE pbx_node SET secret = %(secret)s WHERE name = %(name)s RETURNING id
