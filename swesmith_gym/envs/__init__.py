"""Gymnasium environments over task tables: `bugfix` (the environment), `registration`, `vector`, `grading`.

Nothing is imported here, so that registering ids stays cheap.
"""
