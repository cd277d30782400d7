"""Live pages: one look at the database a process, told to every viewer."""
