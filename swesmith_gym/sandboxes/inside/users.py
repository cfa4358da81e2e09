"""Whom a sandbox's processes run as, where the place that it is in was entered by root: not as root.

Without root there is nothing to be done: commands then run as the same user as what watches them.
"""

from __future__ import annotations

import os

from .processes import prctl

PR_SET_NO_NEW_PRIVS = 38
TOKEN = b"--auth-token"
"""An argument of SWE-ReX's server; what follows it opens everything."""
STATES = ("separate", "exposed", "same user")
"""Commands get a user of their own; they do, but find the server's token in `/proc`; they do not."""


def become(user: int, *, reserve: bool) -> None:
    """Give root's rights up. `reserve`: keep root as the real user, so that processes of `user` cannot send signals.

    Raises: OSError.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(0 if reserve else user, user, 0 if reserve else user)


def examine(user: int) -> str:
    """What `become` would come to here: one of `STATES`."""
    if os.geteuid():
        return STATES[2]
    pid = os.fork()
    if not pid:
        code = 2
        try:
            become(user, reserve=False)
            code = int(_token_shows())
        finally:
            os._exit(code)
    return STATES[min(os.WEXITSTATUS(os.waitpid(pid, 0)[1]), 2)]


def _token_shows() -> bool:
    """The server's token stands among its arguments, for every user to see."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/" + name + "/cmdline", "rb") as file:
                if TOKEN in file.read():
                    return True
        except OSError:
            continue
    return False
