"""Snapshots, restore and fork of a sandbox, on every backend that has them."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from swesmith_gym.errors import SandboxDied
from swesmith_gym.sandboxes import base, client
from swesmith_gym.sandboxes.base import Sandbox

pytestmark = pytest.mark.sandbox
Start = Callable[..., Sandbox]

CHANGE = r"""
cd pkg; export A='two
lines' B=$'\xff'; not_exported=1
echo changed > code.py; rm ../link; mkdir -p ../new/deep; echo x > ../new/deep/file; ln -s ../pkg ../new/there
chmod 700 ../run.sh; mkfifo ../pipe; mkdir ../closed; echo hidden > ../closed/in; chmod 000 ../closed
touch -d '2001-02-03 04:05:06 UTC' ../new/deep/file; echo t > /tmp/t; echo h > ~/h
cd ..; mv new moved; mv moved/deep .; cd pkg
"""
LOOK = r"""
pwd; printf '%s|' "$A" "$B"; cat code.py /tmp/t ~/h; cd ..
stat -c '%n %a %F' pkg run.sh pipe closed deep deep/file moved/there; stat -c %Y deep/file
readlink moved/there; ls -A . /tmp ~
"""


def look(sandbox: Sandbox) -> bytes:
    return sandbox.shell().run(LOOK).stdout


@pytest.fixture
def changed(start: Start) -> Sandbox:
    sandbox = start()
    assert sandbox.shell().run(CHANGE).exit_code == 0
    return sandbox


def test_a_fork_is_the_same_and_then_its_own(changed: Sandbox) -> None:
    twin = changed.fork()
    try:
        assert look(twin) == look(changed)
        twin.shell().run("echo twin > only; rm -rf deep")
        assert changed.run("ls only").exit_code != 0
        assert changed.run("cat deep/file").stdout == b"x\n"
    finally:
        twin.close()


def test_restore_goes_back_as_often_as_asked(changed: Sandbox) -> None:
    snap = pickle.loads(pickle.dumps(changed.snapshot()))
    shell = changed.shell()
    before = look(changed)
    for _ in range(2):
        changed.shell().run("cd /; rm -rf /testbed/* /tmp/*; export A=; sleep 600 & unset B")
        changed.restore(snap)
        assert changed.shell() is shell
        assert look(changed) == before
    assert changed.run("cat closed/in; chmod 700 closed; cat closed/in").stdout == b"hidden\n"


def test_only_what_differs_is_kept(changed: Sandbox) -> None:
    files = {entry[0]: entry for entry in changed.snapshot().files["/testbed"]}
    with_content = {name for name, entry in files.items() if entry[3] is not None}
    assert with_content == {"pkg/code.py", "deep/file", "moved/there", "closed/in", "run.sh"}
    assert "link" not in files


def test_a_snapshot_leaves_the_session_alone(changed: Sandbox) -> None:
    shell = changed.shell()
    shell.run("f() { echo kept$not_exported; }; (exit 7)")
    changed.snapshot()
    assert shell.run("echo $?; f").stdout == b"7\nkept1\n"
    assert not shell.restarted


def test_a_fresh_sandbox_has_a_snapshot_too(start: Start) -> None:
    sandbox = start()
    snap = sandbox.snapshot()
    assert (snap.folder, dict(snap.env)) == ("/testbed", {})
    sandbox.run("echo x > new; rm run.sh")
    sandbox.restore(snap)
    assert sandbox.shell().run("pwd; ls -A; echo $HOME").stdout == b"/testbed\nlink\npkg\nrun.sh\n/home/agent\n"


def test_too_much_is_refused_and_nothing_is_lost(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_SNAPSHOT_BYTES", 1 << 20)
    sandbox = start()
    sandbox.run("head -c 2M /dev/zero > big")
    for act in (sandbox.snapshot, sandbox.fork):
        with pytest.raises(OSError, match="too much"):
            act()
    assert sandbox.run("stat -c %s big").stdout == b"2097152\n"
    assert base.MAX_SNAPSHOT_BYTES > 1 << 20


def test_a_restore_that_fails_leaves_the_sandbox(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = start()
    snap = sandbox.snapshot()
    sandbox.run("echo mine > mine")

    def fails() -> client.ClientSandbox:
        raise SandboxDied("no second one")

    monkeypatch.setattr(sandbox, "again", fails)
    with pytest.raises(SandboxDied, match="no second one"):
        sandbox.restore(snap)
    assert sandbox.run("cat mine").stdout == b"mine\n"


@pytest.mark.parametrize(
    "entry", [["../out", 0o100644, 0, b"x"], ["a/b", 0o100644, 0, b"x"], ["/abs", 0o100644, 0, b"x"]]
)
def test_a_forged_snapshot_stays_inside(start: Start, entry: list[object]) -> None:
    sandbox = start()
    snap = sandbox.snapshot()
    forged = base.Snapshot({**snap.files, "/testbed": (*snap.files["/testbed"], entry)}, snap.folder, snap.env)
    with pytest.raises(OSError, match="outside"):
        sandbox.restore(forged)
