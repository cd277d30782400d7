SELECT database, version FROM read_history()
