"""The leak scan: does anything in a sealed environment tell what the bug is, or what the code was before it?

`needles` says what to look for, `inside` looks for it in the sandbox, the other modules judge what was seen. Preparing
tasks and starting sandboxes is the caller's business.

What it cannot see: an original that was rewritten with another name of the function and other names of its variables
at once, or with other statements; an encrypted one; one inside of compiled programs or of archives of Java classes, or,
in the root file system, of binary data or of an encoding other than JSON, HTML, diffs, zip, tar, gzip, bzip2, xz and
zlib; an encoded one in a content above 8 MiB; byte code of an interpreter other than the sandbox's, unless it says that
it came from the work tree; members of archives above 32 MiB, and more than three wrappings within each other.
"""

from swesmith_gym.tasks.scan.findings import LEAKS, Finding

__all__ = ["LEAKS", "Finding"]
