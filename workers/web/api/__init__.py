"""The HTTP API, /api/v1. Each route parses, asks the table of rules, calls the core, and answers."""
