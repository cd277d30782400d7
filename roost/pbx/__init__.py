"""PBX nodes: the protocol all adapters speak (`node`), how kinds of PBX are found (`kinds`), and a folder for each kind."""
