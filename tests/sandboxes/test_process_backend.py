"""The process backend on a real machine: what it declares, its paths, folders and files.

As root the sandbox's user is another one; run by an ordinary user (`test_process_in_a_pod`) it is that user.
"""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import process_sandboxes
import pytest
from process_sandboxes import AS_ROOT, gone, left_on_the_machine, out, peer

from swesmith_gym.errors import SandboxUnavailable, SandboxUnsupported
from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes.base import Mount, Sandbox, SandboxSpec
from swesmith_gym.sandboxes.process.backend import TRUST, Process
from swesmith_gym.sandboxes.process.places import TMP, home_inside

pytestmark = pytest.mark.sandbox

Start = Callable[..., Sandbox]
backend = process_sandboxes.backend


def test_work_tree_is_a_private_copy(start: Start, tree: Path) -> None:
    sandbox = start()
    assert out(sandbox, "pwd -P; cat link; ./run.sh; stat -c %a run.sh") == "/testbed\nx = 1\nhello\n755\n"
    sandbox.run("echo new > pkg/code.py; rm run.sh; touch more")
    assert set(sandbox.manifest()) == {"link", "more", "pkg/code.py"}
    sandbox.close()
    assert (tree / "pkg/code.py").read_text() == "x = 1\n"
    assert (tree / "run.sh").exists()
    assert start().read_file("pkg/code.py") == b"x = 1\n"


def test_private_folders_are_empty_each_time(start: Start) -> None:
    for _ in range(2):
        with start() as sandbox:
            assert out(sandbox, "echo $TMPDIR $HOME; ls -A $TMPDIR; ls -A ~") == f"{TMP} {home_inside()}\n"
            sandbox.run("touch ~/kept; f=$(mktemp); echo $f > ~/name; mkdir $TMPDIR/deep; chmod 0 $TMPDIR/deep")
            assert out(sandbox, "cat ~/name").startswith(f"{TMP}/")
    assert left_on_the_machine() == []


def test_what_it_declares(backend: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRUST, raising=False)
    found = backend.capabilities()
    assert {found.network_isolation, found.process_isolation, found.disk_limit, found.many} == {False}
    assert (found.separate_user, found.snapshots, found.trusted_outer, found.isolates) == (AS_ROOT, True, False, False)
    monkeypatch.setenv(TRUST, "1")
    assert backend.capabilities().isolates
    assert not backend.capabilities().process_isolation
    assert pickle.loads(pickle.dumps(backend)) == backend


def test_checks(backend: Process) -> None:
    found = {check.name: check for check in backend.checks()}
    assert {"places", "system call filter", "user", "landlock", "control groups", "answers", "sandbox"} <= set(found)
    assert all(check.detail for check in found.values())
    assert found["sandbox"].ok, found["sandbox"]


def test_other_root_file_systems_are_refused(backend: Process, tree: Path) -> None:
    with pytest.raises(SandboxUnsupported, match="debian"):
        backend.start(SandboxSpec(tree=tree, root_fs="debian-bookworm"))


def test_missing_tree_is_named(backend: Process, tmp_path: Path) -> None:
    for writable in (False, True):
        with pytest.raises(FileNotFoundError, match="no-such-tree"):
            backend.start(SandboxSpec(tree=tmp_path / "no-such-tree", tree_writable=writable))
    assert left_on_the_machine() == []


def test_path_that_is_taken(start: Start, tmp_path: Path) -> None:
    taken = Path(f"/opt/taken-{os.getpid()}")
    taken.mkdir()
    try:
        with pytest.raises(SandboxUnavailable, match=f"{taken}: exists already") as caught:
            start(mounts=(Mount(tmp_path, str(taken)),))
        assert str(taken) in caught.value.fix
        assert taken.is_dir()
    finally:
        taken.rmdir()
    assert left_on_the_machine() == []


@pytest.mark.parametrize("closed", [False, True], ids=["reachable", "closed"])
def test_folders_that_are_shown(start: Start, closed: bool) -> None:
    """By a link, or by a copy where the sandbox's user cannot enter a folder above."""
    above = Path(f"/opt/shown-{os.getpid()}")
    source = above / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep/file").write_text("shown\n")
    (source / "to").symlink_to("deep/file")
    above.chmod(0o700 if closed else 0o755)
    try:
        sandbox = start(mounts=(Mount(source, "/opt/shown"),), links={"/opt/short": "/opt/shown/deep"})
        assert out(sandbox, "cat /opt/shown/to /opt/short/file") == "shown\nshown\n"
        assert Path("/opt/shown").is_symlink() != (closed and AS_ROOT)
        for change in ("echo x > /opt/shown/deep/file", "touch /opt/shown/more", "rm -r /opt/shown/deep"):
            assert sandbox.run(change).exit_code != 0
        sandbox.close()
        assert (source / "deep/file").read_text() == "shown\n"
        assert not os.path.lexists("/opt/short")
    finally:
        subprocess.run(["rm", "-r", str(above)], check=True)


@pytest.mark.parametrize("above", ["/opt", "/dev/shm"], ids=["moved", "copied"])
def test_writable_folders_come_back(start: Start, backend: Process, tree: Path, above: str) -> None:
    """From the file system of `/opt` they are moved there and back; from another one they are copied."""
    lent = Path(f"{above}/lent-{os.getpid()}")
    lent.mkdir()
    (lent / "before").write_text("1")
    backend.own(lent)
    sandbox = start(tree_writable=True, mounts=(Mount(lent, "/opt/lent", writable=True),))
    assert out(sandbox, "pwd -P; cd /opt/lent; pwd -P; cat before") == "/testbed\n/opt/lent\n1"
    sandbox.run(
        "echo made > made; mkdir d; ln -s /etc/passwd d/out; mkfifo d/pipe; rm /opt/lent/before; touch /opt/lent/inside"
    )
    assert (tree / "made").read_text() == "made\n"
    sandbox.close()
    assert not tree.is_symlink()
    assert (tree / "d/out").is_symlink()
    assert [path.name for path in lent.iterdir()] == ["inside"]
    backend.remove_tree(lent)
    backend.fetch(tree)
    assert {path.lstat().st_uid for path in (tree, *tree.rglob("*"))} == {os.geteuid()}
    backend.remove_tree(tree)
    assert not tree.exists()


def test_snapshots(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = start()
    sandbox.shell().run("cd pkg; export A=1; echo two > ../more; echo kept > ~/kept; echo t > $TMPDIR/t; rm ../run.sh")
    kept = sandbox.snapshot()
    assert not any(path in kept.files for path in ("/tmp", "/dev/shm"))
    sandbox.shell().run("echo 3 > code.py; rm ../more ~/kept; cd /; export A=2; sleep 600 &")
    first = peer(sandbox)
    sandbox.restore(kept)
    assert gone(first)
    shown = sandbox.shell().run("pwd; echo $A; cat code.py ../more ~/kept $TMPDIR/t; ls ..")
    assert shown.stdout == b"/testbed/pkg\n1\nx = 1\ntwo\nkept\nt\nlink\nmore\npkg\n"
    with pytest.raises(SandboxUnsupported, match="fork"):
        sandbox.fork()
    assert sandbox.alive


def test_files_are_handled_as_the_sandbox_s_user(start: Start) -> None:
    sandbox = start()
    for path in ("/etc/shadow", "/root/.profile") if AS_ROOT else ("/etc/shadow",):
        with pytest.raises(OSError):
            sandbox.read_file(path)
    with pytest.raises(OSError):
        sandbox.apply((FileChange("/etc/by-process-backend", b"x"),))
    assert not Path("/etc/by-process-backend").exists()
