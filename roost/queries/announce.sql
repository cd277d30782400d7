SELECT numbered, nodes, more FROM announce(%(unseen_for)s, %(most)s, %(forgetful)s)
