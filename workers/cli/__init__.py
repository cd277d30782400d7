"""The command line `roost`: asks the core or the queues, and shows what they say. One file a group of commands."""
