"""Python: everything that is true of this language only."""
