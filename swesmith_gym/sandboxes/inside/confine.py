"""A filter of system calls that process 1 puts on itself, and so on all that it starts, where nobody else could.

The filter comes from the driver (`sandboxes.seccomp`) and is added to those that are there already.
"""

from __future__ import annotations

import ctypes
import os

from .processes import prctl

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
STEP_BYTES = 8


class Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def install(steps: bytes) -> None:
    """For good. Raises: OSError."""
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program = Program(len(steps) // STEP_BYTES, steps)
    call = ctypes.CDLL(None, use_errno=True).prctl
    if call(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls is refused " + os.uname().machine)
