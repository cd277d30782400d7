SELECT step_organization(%(id)s, %(most)s)
