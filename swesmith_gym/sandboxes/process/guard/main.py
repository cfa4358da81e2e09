"""Starts process 1 of a sandbox, waits for the end of it or of the driver, and then ends whatever came of it.

It runs as the driver's user, outside of the sandbox's rules. Where that is root, nothing inside can reach it; where
both are the same user, only Landlock (signals, from its version 6 on) keeps code inside from killing it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys

from ...inside.processes import PR_SET_CHILD_SUBREAPER, Children, prctl
from . import confine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main() -> None:
    """Arguments after the first: descriptors (one that ends with the driver, the order, the report), and the sandbox's
    user, 0: ours."""
    life, order, report, uid = (int(word) for word in sys.argv[2:6])
    driver = _watch_driver()
    children = Children()
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    pid = os.fork()
    if not pid:
        _start(order)
    children.watch(pid)
    os.write(report, b"%d\n" % pid)
    for descriptor in (0, 1, order, report):
        os.close(descriptor)
    _wait(children, pid, [life, driver] if driver >= 0 else [life])
    if uid:
        kill_all_of(uid)
    children.sweep(0)
    os._exit(0)


def _watch_driver() -> int:
    """A descriptor that is ready when the driver has ended; -1: this Python or kernel has none.

    The driver's end of the pipe may have been inherited by a process that it forked, so the pipe alone is not enough.
    """
    try:
        return os.pidfd_open(os.getppid())
    except (AttributeError, OSError):
        return -1


def _wait(children: Children, pid: int, ends: list[int]) -> None:
    """Until process 1 has ended, or any of the descriptors says that the driver has, or wants the end."""
    poll = select.poll()
    for descriptor in (*ends, children.wakeup):
        poll.register(descriptor, select.POLLIN)
    while pid not in children.ended:
        if any(descriptor in ends for descriptor, _ in poll.poll()):
            return
        children.reap()


def kill_all_of(uid: int) -> None:
    """End every process of a user at once: the kernel does it in one step, so that nothing forks away from it."""
    helper = os.fork()
    if helper:
        os.waitpid(helper, 0)
        return
    try:
        confine.become(uid)
        os.kill(-1, signal.SIGKILL)
    finally:
        os._exit(0)


def _start(order: int) -> None:
    """Become process 1, when the driver has said how. What goes wrong is told on standard error."""
    try:
        with os.fdopen(order, "rb") as stream:
            told: dict[str, Any] = json.loads(stream.read() or b"null")
        if told:
            _become(told)
    except (OSError, ValueError) as error:
        os.write(2, f"process 1 cannot be confined: {error}\n".encode("utf-8", "replace"))
    finally:
        os._exit(70)


def _become(told: dict[str, Any]) -> None:
    signal.set_wakeup_fd(-1)
    os.closerange(3, 1 << 16)
    os.setsid()
    os.chdir("/")
    if told["uid"]:
        confine.become(told["uid"])
    confine.no_new_rights()
    if told["landlock"]:
        confine.restrict(told["landlock"])
    confine.filter_calls(bytes.fromhex(told["filter"]))
    os.execve(told["command"][0], told["command"], told["env"])
