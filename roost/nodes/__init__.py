"""What the PBX nodes must know, and how each is brought to know it."""
