"""A three-way merge of one file by `git merge-file`, on plain files in a folder of their own.

No repository, no configuration, no attributes. git is what these sources need anyhow; the library for it on the package
index (merge3) is under the GPL, which this package is not.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from swesmith_gym.repos import git


def merged(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """`ours` with what changed from `base` to `theirs`; None: the two overlap.

    Raises: ProfileError (git is missing, or took too long).
    """
    with tempfile.TemporaryDirectory(prefix="swesmith-gym-merge-") as name:
        folder = Path(name)
        for side, data in (("ours", ours), ("base", base), ("theirs", theirs)):
            (folder / side).write_bytes(data)
        done = git.run(folder, ("merge-file", "-p", "-q", "ours", "base", "theirs"))
    return done.stdout if done.returncode == 0 else None
