"""What an operator starts from: `.env`, the Procfile, systemd's units, and the side of each kind of PBX. `roost setup` writes it."""
