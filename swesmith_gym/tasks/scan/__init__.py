"""The leak scan: does anything in a sealed environment tell what the bug is, or what the code was before it?

`needles` says what to look for, `inside` looks for it in the sandbox, the other modules judge what was seen. Preparing
tasks and starting sandboxes is the caller's business.

What it cannot see: an original that was rewritten with other names, or encoded otherwise than JSON, HTML, diffs, zip,
tar, gzip, bzip2, xz and zlib do; one inside of compiled programs, of archives of Java classes, or of other binary data
of the root file system; byte code of an interpreter other than the sandbox's, unless it says that it came from the work
tree; members of archives above 32 MiB, and more than three archives within each other.
"""

from swesmith_gym.tasks.scan.findings import LEAKS, Finding

__all__ = ["LEAKS", "Finding"]
