"""The Virtualization Center: a FastAGI server that leads the `*30` conversation."""
