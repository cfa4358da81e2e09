"""A filter of system calls that a sandbox's code has no honest use for, as a BPF program.

Namespaces hold without it; it takes away parts of the kernel with a history of holes: keyrings, BPF, io_uring,
userfaultfd, mounts, new namespaces, module loading, handles to files by number. Refused calls fail with EPERM, those
that programs probe for with ENOSYS. Debugging own processes stays possible. Format: linux/filter.h, linux/audit.h.
"""

from __future__ import annotations

import errno
import os
import struct
from functools import lru_cache
from typing import Literal

Sockets = Literal["all", "tcp", "unix"]

_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW* flags of clone and unshare, CLONE_NEWTIME (which is clone's signal bits) in its low byte included."""
_X32 = 0x40000000

_GO = {"amd64": "x86_64", "arm64": "aarch64"}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_SAME_NUMBER = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
}
_X86_64 = {
    "acct": 163,
    "add_key": 248,
    "bpf": 321,
    "chroot": 161,
    "clock_settime": 227,
    "delete_module": 176,
    "fanotify_init": 300,
    "finit_module": 313,
    "init_module": 175,
    "ioperm": 173,
    "iopl": 172,
    "kcmp": 312,
    "kexec_file_load": 320,
    "kexec_load": 246,
    "keyctl": 250,
    "lookup_dcookie": 212,
    "mount": 165,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "perf_event_open": 298,
    "pivot_root": 155,
    "quotactl": 179,
    "reboot": 169,
    "request_key": 249,
    "setns": 308,
    "settimeofday": 164,
    "swapoff": 168,
    "swapon": 167,
    "syslog": 103,
    "umount2": 166,
    "userfaultfd": 323,
    "vhangup": 153,
}
_AARCH64 = {
    "acct": 89,
    "add_key": 217,
    "bpf": 280,
    "chroot": 51,
    "clock_settime": 112,
    "delete_module": 106,
    "fanotify_init": 262,
    "finit_module": 273,
    "init_module": 105,
    "kcmp": 272,
    "kexec_file_load": 294,
    "kexec_load": 104,
    "keyctl": 219,
    "lookup_dcookie": 18,
    "mount": 40,
    "name_to_handle_at": 264,
    "open_by_handle_at": 265,
    "perf_event_open": 241,
    "pivot_root": 41,
    "quotactl": 60,
    "reboot": 142,
    "request_key": 218,
    "setns": 268,
    "settimeofday": 170,
    "swapoff": 225,
    "swapon": 224,
    "syslog": 116,
    "umount2": 39,
    "userfaultfd": 282,
    "vhangup": 58,
}
_REFUSED = {"x86_64": _X86_64, "aarch64": _AARCH64}
_FLAG_CALLS = {"x86_64": (56, 272), "aarch64": (220, 97)}
"""clone and unshare: refused with flags for new namespaces. clone3 hides its flags, so it is said not to exist."""
_CLONE3 = 435
_ON_PROCESS_1 = {
    "x86_64": ((302, 0), (142, 0), (144, 0), (203, 0), (314, 0), (141, 1), (251, 1)),
    "aarch64": ((261, 0), (118, 0), (119, 0), (122, 0), (274, 0), (140, 1), (30, 1)),
}
"""prlimit64, sched_setparam, sched_setscheduler, sched_setaffinity, sched_setattr, setpriority, ioprio_set, and which
argument names the process. They ask for the same user only, so that code inside could starve process 1, or let the
kernel kill it through a limit on its CPU time."""
_SIGNALS = {
    "x86_64": ((62, 0), (200, 0), (234, 0), (129, 0), (297, 0), (434, 0)),
    "aarch64": ((129, 0), (130, 0), (131, 0), (138, 0), (240, 0), (434, 0)),
}
"""kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_open: refused for process 1, and for those outside
that it needs, where no namespace keeps them from being ended from inside."""
_KILL_ALL = 0xFFFFFFFF
"""`kill(-1)`: every process that one may reach."""
_LASTING = {"x86_64": (29, 64, 68, 240), "aarch64": (194, 190, 186, 180)}
"""shmget, semget, msgget, mq_open: what they make stays when its maker has ended, and all of the host share it."""
_SOCKET = {"x86_64": 41, "aarch64": 198}
_AF_UNIX, _AF_INET, _SOCK_STREAM, _OTHER_TYPES, _IPPROTO_TCP = 1, 2, 1, 14, 6
_SENDING = {"x86_64": ((44, 3), (46, 2), (307, 3)), "aarch64": ((206, 3), (211, 2), (269, 3))}
_MSG_FASTOPEN = 0x20000000
"""In the flags of sendto, sendmsg and sendmmsg: a connection without `connect`, which Landlock would not see."""
_PROBED = frozenset({"io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd"})
_WITH_SIGNAL_BITS = 0x7E020000
"""The same for clone, whose low byte is the signal to send at the end."""


@lru_cache(maxsize=16)
def program(machine: str = "", *, spared: tuple[int, ...] = (), sockets: Sockets = "all") -> bytes:
    """The filter for a machine as `uname -m` or Go names it (default: this one); empty where none is known.

    `spared`: where there is no process namespace, the numbers of processes (or groups) that are not to be ended from
    inside, process 1 among them. `sockets`: which can be made, where there is no network namespace: Unix ones only, so
    that nothing leads out of the host and loopback is gone as well; or those for TCP over IPv4, too.
    """
    machine = _GO.get(machine, machine or os.uname().machine)
    if machine not in _AUDIT:
        return b""
    steps = [_step(_LOAD, _ARCH), _step(_EQUAL, _AUDIT[machine], 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _NUMBER)]
    if machine == "x86_64":
        steps += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    for name, number in sorted({**_SAME_NUMBER, **_REFUSED[machine]}.items()):
        code = errno.ENOSYS if name in _PROBED else errno.EPERM
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ERRNO | code)]
    steps += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    clone, unshare = _FLAG_CALLS[machine]
    steps += _argument(clone, 0, _BITS, _WITH_SIGNAL_BITS) + _argument(unshare, 0, _BITS, _NEW_NAMESPACES)
    for process in spared or (1,):
        for number, argument in _ON_PROCESS_1[machine]:
            steps += _argument(number, argument, _EQUAL, process)
    if spared:
        steps += _without_namespaces(machine, spared)
    if sockets != "all":
        steps += _few_sockets(_SOCKET[machine], tcp=sockets == "tcp")
        for number, argument in _SENDING[machine]:
            steps += _argument(number, argument, _BITS, _MSG_FASTOPEN)
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def _without_namespaces(machine: str, spared: tuple[int, ...]) -> list[bytes]:
    """What namespaces of its own would make harmless."""
    steps = []
    for process in spared:
        for number, argument in _SIGNALS[machine]:
            steps += _argument(number, argument, _EQUAL, process)
    kill = _SIGNALS[machine][0][0]
    for everybody in (_KILL_ALL, *(_KILL_ALL + 1 - group for group in spared)):
        steps += _argument(kill, 0, _EQUAL, everybody)
    for number in _LASTING[machine]:
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    return steps


def _few_sockets(number: int, *, tcp: bool) -> list[bytes]:
    """Refuse the call that makes a socket, but for some. A jump counts the steps that it leaves out."""
    family, kind, protocol = (_step(_LOAD, _ARGUMENTS + 8 * position) for position in range(3))
    over_ipv4 = [
        _step(_EQUAL, _AF_INET, 0, 6),
        kind,
        _step(_BITS, _OTHER_TYPES, 4, 0),
        _step(_BITS, _SOCK_STREAM, 0, 3),
        protocol,
        _step(_EQUAL, 0, 2, 0),
        _step(_EQUAL, _IPPROTO_TCP, 1, 0),
    ]
    allowed = [family, _step(_EQUAL, _AF_UNIX, 1 + 7 * tcp, 0), *(over_ipv4 if tcp else ())]
    refused = [*allowed, _step(_RETURN, _ERRNO | errno.EACCES)]
    return [_step(_EQUAL, number, 0, len(refused) + 1), *refused, _step(_LOAD, _NUMBER)]


def _argument(number: int, position: int, test: int, value: int) -> list[bytes]:
    """Refuse a call if the low half of an argument passes a test. The call's number is loaded before and after."""
    return [
        _step(_EQUAL, number, 0, 4),
        _step(_LOAD, _ARGUMENTS + 8 * position),
        _step(test, value, 0, 1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_LOAD, _NUMBER),
    ]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
