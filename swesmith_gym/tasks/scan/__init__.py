"""The leak scan: does anything in a sealed environment tell what the bug is, or what the code was before it?

`needles` says what to look for, `inside` looks for it in the sandbox, the other modules judge what was seen. Preparing
tasks and starting sandboxes is the caller's business.
"""

from swesmith_gym.tasks.scan.findings import LEAKS, Finding

__all__ = ["LEAKS", "Finding"]
