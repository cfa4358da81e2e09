"""Group S: rights that code inside does not have, and cannot get.

Nothing here does harm where a backend lets it happen: files are opened and nothing is written, calls get arguments that
make them fail later on. Still, only backends that declare isolation are asked.
"""

from __future__ import annotations

import os

from swesmith_gym.sandboxes.conformance import proc
from swesmith_gym.sandboxes.conformance.case import Case, Need
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, Way, demand, shown
from swesmith_gym.sandboxes.conformance.worker import CannotRun

_CALLS = {
    "x86_64": {"add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321},
    "aarch64": {"add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280},
}
"""Numbers of system calls without a function in the C library, by machine."""
_C = "import ctypes, errno, os\nc = ctypes.CDLL(None, use_errno=True)\n"
_SAY = "print(result, errno.errorcode.get(ctypes.get_errno()))\n"
_REFUSED = {b"-1 EPERM", b"-1 EACCES", b"-1 ENOSYS"}
_NEEDS: tuple[Need, ...] = ("process_isolation",)
_MANY = 10
"""A sandbox that does nothing has fewer processes, every host has more."""
_SETTINGS = (
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/kptr_restrict",
    "/proc/sys/vm/drop_caches",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/fs/file-max",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sysrq-trigger",
    "/sys/kernel/uevent_helper",
)
"""Of the whole host. Others belong to a namespace: inside its own a sandbox may set them."""
_DEVICES = (
    "/dev/mem /dev/kmem /dev/port /dev/kmsg /dev/kvm /dev/fuse /dev/net/tun /dev/loop-control /dev/mapper/control"
)
_SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/user/*/docker.sock",
    "/run/user/*/podman/podman.sock",
    "/run/dbus/system_bus_socket",
)


def _refused(trial: Trial, way: Way, command: str, words: str) -> None:
    """A command that must fail, and may not take long for it."""
    result = trial.do(way, command, timeout_s=20)
    demand(result.exit_code not in (0, None), f"{way}: {words}: {shown(result)}")


def _calls_refused(trial: Trial, way: Way, lines: list[str], words: str) -> None:
    """System calls that the kernel, or a filter in front of it, refuses by right: not for what was asked."""
    result = trial.python(way, _C + "".join(f"result = {line}\n{_SAY}" for line in lines), timeout_s=20)
    answers = result.stdout.splitlines()
    fine = len(answers) == len(lines) and set(answers) <= _REFUSED
    demand(fine, f"{way}: {words}: {shown(result)}")


def _numbers() -> dict[str, int]:
    machine = os.uname().machine
    if machine not in _CALLS:
        raise CannotRun(f"the numbers of system calls of {machine} are not known to this suite")
    return _CALLS[machine]


def _no_caps(trial: Trial) -> None:
    look = "grep -E '^(Cap...|NoNewPrivs|Uid|Gid|Groups):' /proc/self/status; echo id: $(id -u) $(id -G)"
    for way in WAYS:
        result = trial.do(way, look)
        found = dict(line.split(":", 1) for line in result.stdout.decode(errors="replace").splitlines() if ":" in line)
        caps = {name: value.strip() for name, value in found.items() if name.startswith("Cap")}
        demand(len(caps) == 5 and not any(int(value, 16) for value in caps.values()), f"{way}: capabilities {caps}")
        who = found.get("id", "").split()
        nameless = set(who[2:]) <= {"65534"}  # groups that an ordinary driver cannot drop
        demand(who[:2] == ["1000", "1000"] and nameless, f"{way}: user and groups are{found.get('id')}")
    users = trial.traces.users
    if trial.capabilities.separate_user and users:
        demand(
            os.geteuid() not in users and 0 not in users, f"processes inside belong to the host users {sorted(users)}"
        )


def _no_setuid(trial: Trial) -> None:
    for way in WAYS:
        own = "cp $(command -v id) /tmp/own && chmod 6755 /tmp/own && /tmp/own -u; rm -f /tmp/own"
        result = trial.do(way, own)
        demand(result.stdout == b"1000\n", f"{way}: an own set-uid program runs as somebody else: {shown(result)}")
        _refused(trial, way, "cp /bin/bash /tmp/root && chown 0 /tmp/root", "a file can be given to root")
        _refused(trial, way, "su -c true < /dev/null", "su works")
        result = trial.do(way, "grep NoNewPrivs /proc/self/status")
        demand(result.stdout.split()[-1:] == [b"1"], f"{way}: new privileges are not ruled out: {shown(result)}")


def _no_mount(trial: Trial) -> None:
    lines = [
        "c.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "c.mount(b'/usr', b'/tmp', None, 4096, None)",
        "c.mount(None, b'/', None, 32 | 4096, None)",
        "c.umount2(b'/testbed', 2)",
        "c.pivot_root(b'/tmp', b'/tmp') if hasattr(c, 'pivot_root') else c.chroot(b'/tmp')",
    ]
    for way in WAYS:
        _calls_refused(trial, way, lines, "a mount is made or taken away")
        _refused(trial, way, "mount -t tmpfs none /tmp", "mount works")


def _no_ptrace(trial: Trial) -> None:
    """Neither process 1 can be looked into, nor is any process of the host seen."""
    for way in WAYS:
        _calls_refused(trial, way, ["c.ptrace(16, 1, 0, 0)"], "process 1 can be traced")
        for command in ("cat /proc/1/environ", "head -c 1 /proc/1/mem", "ls /proc/1/fd", "ls /proc/1/cwd/"):
            _refused(trial, way, command, f"process 1 can be looked into with {command!r}")
        result = trial.do(way, "readlink /proc/self/ns/pid; set -- /proc/[0-9]*; echo $#")
        namespace, _, count = result.stdout.decode(errors="replace").partition("\n")
        apart = namespace != proc.namespace("self") and count.strip().isdigit() and int(count) < _MANY
        demand(apart, f"{way}: processes of the host are seen: {shown(result)}")


def _no_keyring(trial: Trial) -> None:
    number = _numbers()
    lines = [
        f"c.syscall({number['add_key']}, b'user', b'name', b'value', 5, -3)",
        f"c.syscall({number['keyctl']}, 0, -3, 1)",
        f"c.syscall({number['request_key']}, b'user', b'name', None, -3)",
    ]
    for way in WAYS:
        _calls_refused(trial, way, lines, "the kernel's key rings are reached")


def _no_bpf(trial: Trial) -> None:
    line = f"c.syscall({_numbers()['bpf']}, 0, ctypes.create_string_buffer(128), 128)"
    for way in WAYS:
        _calls_refused(trial, way, [line], "bpf is reached")


def _no_namespaces(trial: Trial) -> None:
    kinds = {"user": 0x10000000, "network": 0x40000000, "mount": 0x20000, "process": 0x20000000, "both": 0x10020000}
    for way in WAYS:
        for name, flag in kinds.items():
            result = trial.python(way, f"{_C}result = c.unshare({flag})\n{_SAY}")
            fine = result.stdout.strip() in (*_REFUSED, b"-1 ENOSPC", b"-1 EINVAL")
            demand(fine, f"{way}: a namespace ({name}) can be made: {shown(result)}")
        _refused(trial, way, "unshare --user true", "unshare works")


def _no_settings(trial: Trial) -> None:
    """Opened for writing only."""
    for way in WAYS:
        for path in _SETTINGS:
            _refused(trial, way, f"( : >> {path} ) 2>/dev/null", f"{path} can be written")


def _no_devices(trial: Trial) -> None:
    look = (
        f"for f in {_DEVICES} $(find /dev -type b 2>/dev/null); do\n"
        "  if ( : < $f ) 2>/dev/null || ( : >> $f ) 2>/dev/null; then echo $f; fi\ndone\n"
        "for d in 'b 8 0' 'c 1 1'; do mknod /tmp/device $d 2>/dev/null && echo $d; done; rm -f /tmp/device"
    )
    for way in WAYS:
        result = trial.do(way, look)
        demand(result.stdout == b"", f"{way}: devices can be opened or made: {shown(result)}")


def _no_daemon(trial: Trial) -> None:
    """No socket of a container engine or of the system bus, and no hint of where one is."""
    host = os.environ.get("DOCKER_HOST", "")
    paths = " ".join([*_SOCKETS, *([host.removeprefix("unix://")] if host.startswith("unix://") else [])])
    look = f"for f in {paths}; do test -e $f && echo $f; done; compgen -e | grep -E '^(DOCKER|CONTAINER|DBUS|KUBE)'"
    for way in WAYS:
        result = trial.do(way, look)
        demand(result.stdout == b"", f"{way}: a daemon of the host is in reach: {shown(result)}")


CASES = (
    Case("S01", "S", "no caps", _no_caps, _NEEDS),
    Case("S02", "S", "no setuid gain", _no_setuid, _NEEDS),
    Case("S03", "S", "mount", _no_mount, _NEEDS),
    Case("S04", "S", "ptrace other", _no_ptrace, _NEEDS),
    Case("S05", "S", "keyring", _no_keyring, _NEEDS),
    Case("S06", "S", "bpf", _no_bpf, _NEEDS),
    Case("S07", "S", "unshare userns", _no_namespaces, _NEEDS),
    Case("S08", "S", "/proc/sys write", _no_settings, _NEEDS),
    Case("S09", "S", "device access", _no_devices, _NEEDS),
    Case("S10", "S", "docker socket absent", _no_daemon, _NEEDS),
)
