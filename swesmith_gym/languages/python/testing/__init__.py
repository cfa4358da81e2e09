"""Python's tests: the runner inside a sandbox, its report, the test surface, taking tests out of a tree."""
