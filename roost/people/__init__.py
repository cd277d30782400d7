"""Who may do what: people and passwords, sessions, tokens, rights."""
