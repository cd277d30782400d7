SELECT numbered, nodes FROM announce(%(unseen_for)s)
