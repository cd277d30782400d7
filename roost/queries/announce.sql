SELECT numbered, nodes, more FROM announce(%(unseen_for)s, %(longest_delay)s, %(most)s, %(forgetful)s)
