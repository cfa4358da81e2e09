"""Runs a repository's tests once and reports every result as a line of JSON.

Standard library and pytest (7 or newer) only, Python 3.8 or newer: it runs in the repository's environment.
"""
