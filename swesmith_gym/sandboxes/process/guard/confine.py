"""What a process gives up before it becomes a sandbox's process 1: user, rights, files, sockets, system calls.

Policy is the driver's: here it is carried out. Layouts: linux/landlock.h, linux/filter.h, linux/prctl.h. None of it can
be taken back, and all that the process starts inherits it. It hides no process and no name of a file.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's calls: the same numbers on every machine."""
_PATH_BENEATH, _PORT = 1, 2
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_CAP_AMBIENT = 24, 38, 22, 47
_SECCOMP_MODE_FILTER = 2
_AMBIENT_CLEAR_ALL = 4
_RIGHTS_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""Execute, write, read, truncate, ioctl: all others are for folders."""
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> int:
    """Raises: OSError."""
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = getattr(_libc, name)(*wide)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def become(uid: int) -> None:
    """Go over to a user without rights, for good. Only root can. Raises: OSError."""
    for number in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)  # fails past the last one that the kernel knows
    _libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def no_new_rights() -> None:
    """Set-uid programs do nothing special from now on. Raises: OSError."""
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def filter_calls(program: bytes) -> None:
    """Let a BPF program decide on every system call. Raises: OSError."""
    steps = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("@HP", len(program) // 8, ctypes.addressof(steps))
    _call("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(fprog), 0, 0)


def restrict(rules: dict[str, Any]) -> None:
    """Put Landlock's rules in force: `handled`, the rights taken away (files, ports, scopes); `paths` and `ports`, each
    with the rights given back. Raises: OSError."""
    attributes = struct.pack(f"={len(rules['handled'])}Q", *rules["handled"])
    ruleset = _call("syscall", CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)
    for path, rights in rules["paths"]:
        _allow_path(ruleset, path, rights)
    for port, rights in rules["ports"]:
        rule = struct.pack("=QQ", rights, port)
        _call("syscall", ADD_RULE, ruleset, _PORT, ctypes.c_char_p(rule), 0)
    _call("syscall", RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow_path(ruleset: int, path: str, rights: int) -> None:
    """What this user cannot reach needs no rule."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _RIGHTS_OF_FILES
        rule = struct.pack("=Qi", rights, descriptor)
        if rights:
            _call("syscall", ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(descriptor)
