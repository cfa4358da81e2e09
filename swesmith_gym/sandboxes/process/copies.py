"""Host folders for a user who may not reach them where they lie: copies that this user can read and not write.

Files that nobody but root can change are not copied but linked under a second name, which is quick. What a user may
reach anyway is not hidden by it.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from swesmith_gym.sandboxes.process.user import dedicated
from swesmith_gym.sandboxes.staging import below_barrier

_SYSTEM = Path("/usr")


def fits(source: Path, uid: int) -> bool:
    """The user can read all of the folder where it lies, and change nothing of it.

    An ordinary user's sandbox has the same rights over a copy, so that a copy would not help.
    """
    if not dedicated() or source == _SYSTEM or _SYSTEM in source.parents:
        return True
    if below_barrier(source / "x", uid) is not None:
        return False
    for parent, folders, files in os.walk(source):
        for name in (".", *folders, *files):
            if not _closed(os.lstat(os.path.join(parent, name)), uid):
                return False
    return True


def _closed(found: os.stat_result, uid: int) -> bool:
    """For reading only, but for reading by everybody."""
    if found.st_uid == uid:
        return False
    if stat.S_ISLNK(found.st_mode):
        return True
    readable = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
    return not found.st_mode & stat.S_IWOTH and found.st_mode & readable == readable


def copy(source: Path, target: Path, uid: int) -> None:
    """Make `target` show what `source` holds: files, folders and links. Raises: OSError."""
    pending = [(source, target)]
    while pending:
        folder, made = pending.pop()
        made.mkdir()
        made.chmod(0o755)  # whatever the umask
        for entry in os.scandir(folder):
            path = made / entry.name
            if entry.is_symlink():
                path.symlink_to(os.readlink(entry))
            elif entry.is_dir():
                pending.append((Path(entry.path), path))
            elif entry.is_file():
                _copy_file(entry, path, uid)


def _copy_file(entry: os.DirEntry[str], target: Path, uid: int) -> None:
    found = entry.stat()
    if _closed(found, uid):
        try:
            os.link(entry.path, target)
        except OSError:
            pass  # another file system, or one that has no second names
        else:
            return
    shutil.copyfile(entry.path, target)
    target.chmod(found.st_mode & 0o755 | 0o444)
    os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))
