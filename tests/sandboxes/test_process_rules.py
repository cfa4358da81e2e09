"""The rules that the process backend makes for Landlock and for the filter of system calls, without any sandbox."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest
from test_sandbox_seccomp import ALLOW, ARCHES, decide, refused

from swesmith_gym.sandboxes import seccomp
from swesmith_gym.sandboxes.process.landlock import open_places


def test_everything_but_what_is_closed(tmp_path: Path) -> None:
    closed = {tmp_path / "a/closed", tmp_path / "b"}
    for folder in (*closed, tmp_path / "a/open", tmp_path / "c/deep"):
        folder.mkdir(parents=True)
    (tmp_path / "a/file").touch()
    (tmp_path / "a/link").symlink_to("closed")
    found = {path.relative_to(tmp_path) for path in open_places(closed) if tmp_path in path.parents}
    assert found == {Path("a/open"), Path("a/file"), Path("c")}
    assert open_places(set()) == [Path("/")]


KNOWN = {
    "x86_64": "3364a2b67d43baf51b496a6b795684a29a6cbc7be14279dee2a15eab165d8d25",
    "aarch64": "7ccf74710bb987abbd9a5ce2f195507739bec8384073d4146212509769741cac",
}
NUMBERS = {"x86_64": (62, 234, 434, 29, 41), "aarch64": (129, 131, 434, 194, 198)}


@pytest.mark.parametrize("machine", ARCHES)
def test_filter_for_bubblewrap_is_as_it_was(machine: str) -> None:
    assert hashlib.sha256(seccomp.program(machine)).hexdigest() == KNOWN[machine]


@pytest.mark.parametrize("machine", ARCHES)
def test_filter_without_namespaces(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = seccomp.program(machine, spared=(777, 779), sockets="unix")
    other = seccomp.program(machine, spared=(777,), sockets="tcp")
    monkeypatch.setattr(seccomp, "program", lambda _: own)
    kill, tgkill, pidfd_open, shmget, make = NUMBERS[machine]
    for number in (kill, tgkill, pidfd_open):
        assert {decide(machine, number, each, 9) for each in (777, 779)} == {refused(errno.EPERM)}
        assert decide(machine, number, 778, 9) == ALLOW
    assert {decide(machine, kill, (1 << 32) - each, 9) for each in (1, 777, 779)} == {refused(errno.EPERM)}
    assert decide(machine, kill, (1 << 32) - 778, 9) == ALLOW
    assert decide(machine, shmget, 1) == refused(errno.ENOSYS)
    assert decide(machine, make, 1, 1) == ALLOW
    assert {decide(machine, make, each, 1) for each in (0, 2, 3, 10, 16, 2 | 1 << 32)} == {refused(errno.EACCES)}
    monkeypatch.setattr(seccomp, "program", lambda _: other)
    usual = ((1, 2), (2, 1), (2, 0x80801), (2, 1, 6))
    assert {decide(machine, make, *each) for each in usual} == {ALLOW}
    others = ((10, 1), (2, 2), (2, 3), (2, 5), (2, 0x80802), (2, 1, 132), (2, 1, 262), (16, 3))
    assert {decide(machine, make, *each) for each in others} == {refused(errno.EACCES)}
