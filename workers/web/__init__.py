"""The page and the HTTP API: one process, as many of them as you like. No rule lives here."""
