"""The processes: one Procfile line each. Only these have a `main`."""
