"""What an operator starts from: `.env`, the Procfile, systemd's units, and the Asterisk side. `roost setup` writes it."""
