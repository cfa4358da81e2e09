"""The filter as the kernel would run it: a small interpreter of BPF says what it does with a call."""

from __future__ import annotations

import errno
import struct

import pytest

from swesmith_gym.sandboxes import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def decide(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """What the program returns for a call."""
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, ARCHES[machine] if arch is None else arch, 0, *padded)
    steps = list(struct.iter_unpack("<HBBI", seccomp.program(machine)))
    at = value = 0
    while True:
        code, if_true, if_false, operand = steps[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
            continue
        passed = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
        at += if_true if passed else if_false


def refused(code: int) -> int:
    return 0x00050000 | code


USUAL = {"x86_64": (0, 1, 9, 57, 59, 101, 231, 257, 302), "aarch64": (63, 64, 93, 117, 221, 222, 261)}
REFUSED = {"x86_64": (165, 250, 298, 321, 308), "aarch64": (40, 219, 241, 280, 268)}
CLONE = {"x86_64": 56, "aarch64": 220}


@pytest.mark.parametrize("machine", ARCHES)
def test_usual_calls_pass(machine: str) -> None:
    assert {decide(machine, number) for number in USUAL[machine]} == {ALLOW}


@pytest.mark.parametrize("machine", ARCHES)
def test_dangerous_calls_are_refused(machine: str) -> None:
    assert {decide(machine, number) for number in REFUSED[machine]} == {refused(errno.EPERM)}
    assert {decide(machine, number) for number in (425, 426, 427, 435)} == {refused(errno.ENOSYS)}


@pytest.mark.parametrize("machine", ARCHES)
def test_namespaces_threads_and_forks(machine: str) -> None:
    assert decide(machine, CLONE[machine], 0x3D0F00) == ALLOW
    assert decide(machine, CLONE[machine], 0x1200011) == ALLOW
    assert decide(machine, CLONE[machine], 0x10000011) == refused(errno.EPERM)


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 302), ("aarch64", 261)])
def test_limits_of_process_1(machine: str, number: int) -> None:
    assert decide(machine, number, 0, 7) == ALLOW
    assert decide(machine, number, 2, 7) == ALLOW
    assert decide(machine, number, 1, 7) == refused(errno.EPERM)
    assert decide(machine, number, 1 | 7 << 32, 7) == refused(errno.EPERM)


def test_other_architectures() -> None:
    assert decide("x86_64", 0, arch=0x40000003) == KILL
    assert decide("x86_64", 0x40000000) == refused(errno.ENOSYS)
    assert seccomp.program("riscv64") == b""


@pytest.mark.parametrize(("theirs", "ours"), [("amd64", "x86_64"), ("arm64", "aarch64")])
def test_a_machine_has_two_names(theirs: str, ours: str) -> None:
    assert seccomp.program(theirs) == seccomp.program(ours) != b""
