"""What a Python project's own files say: metadata, requirements, test suite. Nothing of it is executed."""
