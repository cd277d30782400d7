"""What a request does: who may move where, whether the code is right, at most once and in time."""
