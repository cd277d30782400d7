"""The demo: a whole cluster on one machine, and one working day in it, told with real requests."""
