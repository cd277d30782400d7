"""The Virtualization Center: a FastAGI server that answers the calls of `*30`."""
