"""What a Python project's own files say of it, read as data: metadata, requirements, test suite. Nothing is executed."""
