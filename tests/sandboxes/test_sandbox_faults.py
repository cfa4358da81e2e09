"""Faults beyond the named ones of the conformance suite: limits and streams that it does not ask every backend for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swesmith_gym.records import ExecResult
from swesmith_gym.sandboxes.base import Sandbox

pytestmark = pytest.mark.sandbox

Check = Callable[[ExecResult], bool]


def ended(*codes: int) -> Check:
    return lambda result: not result.timed_out and result.exit_code in codes


FAULTS: dict[str, tuple[str, Check]] = {
    "memory through home": ("head -c 24M /dev/zero > ~/full", ended(1)),
    "write to /dev": ("head -c 1M /dev/zero > /dev/full-of-zeros", ended(1)),
    "file beyond the limit": ("head -c 64M /dev/zero > big; s=$?; rm -f big; (exit $s)", ended(1, 153)),
    "background writer": ("yes & sleep 0.2; echo done", ended(0)),
}


@pytest.mark.parametrize("how", ["run", "shell"])
@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_a_result_and_nothing_more(sandbox: Sandbox, name: str, how: str) -> None:
    command, check = FAULTS[name]
    act = sandbox.run if how == "run" else sandbox.shell().run
    result = act(command, timeout_s=10)
    assert check(result), result
    after = sandbox.run("echo next; cat run.sh", timeout_s=20)
    assert (after.stdout, after.exit_code) == (b"next\necho hello\n", 0)
    assert sandbox.shell().run("cd /testbed && echo next", timeout_s=20).stdout.count(b"next\n") == 1


def test_a_spin_past_the_limit_of_cpu_time_ends_that_command(start: Callable[..., Sandbox]) -> None:
    sandbox = start(cpu_seconds=1)
    for run in (sandbox.run, sandbox.shell().run):
        done = run("while :; do :; done", timeout_s=60)
        assert (done.exit_code, done.timed_out) == (128 + 9, False)
        assert run("echo on").stdout == b"on\n"
