"""Choosing a backend by name, what doctor is told, and the scripted backend."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError, SandboxDied, SandboxUnavailable
from swesmith_gym.records import ExecResult, FileChange
from swesmith_gym.sandboxes import binary, bubblewrap, cgroups, host, staging
from swesmith_gym.sandboxes.base import SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.registry import NAMES, available, backend
from swesmith_gym.sandboxes.scripted import ScriptedBackend, ScriptedSandbox


def test_unknown_names_are_bad_input() -> None:
    with pytest.raises(InputError, match="chroot"):
        backend("chroot")


def test_every_name_is_a_backend() -> None:
    assert NAMES == ("bubblewrap", "docker", "swerex", "process")
    assert tuple(one.name for one in available()) == NAMES
    for name in NAMES:
        assert backend(name).name == name


def test_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWESMITH_GYM_SANDBOX", "bubblewrap")
    assert backend().name == "bubblewrap"
    monkeypatch.setenv("SWESMITH_GYM_SANDBOX", "nonsense")
    for name in (None, "auto"):
        with pytest.raises(InputError, match="nonsense"):
            backend(name)
    assert backend("bubblewrap").name == "bubblewrap"


def test_auto_names_every_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_user: int) -> None:
        raise SandboxUnavailable("no bubblewrap", fix="install it")

    monkeypatch.setattr(bubblewrap, "_probe", none)
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    with pytest.raises(SandboxUnavailable, match=r"on this host: no bubblewrap; no Docker daemon answers at") as caught:
        backend("auto")
    assert caught.value.fix == "install it"


FORBID = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'


@pytest.mark.sandbox
@pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
def test_a_host_that_forbids_namespaces(
    backend: SandboxBackend, tree: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a default container: bwrap is there, and is refused its namespaces."""
    words = [*bubblewrap._prefix(), "unshare", "--user", "--map-root-user", "sh", "-c", FORBID, "sh"]
    monkeypatch.setattr(bubblewrap, "_prefix", lambda: words)
    before = set((state / "run").glob("*"))
    for act in (lambda: bubblewrap._probe.__wrapped__(0), lambda: backend.start(SandboxSpec(tree=tree))):
        with pytest.raises(SandboxUnavailable, match="bwrap: ") as caught:
            act()
        assert caught.value.fix
        assert "\n" not in str(caught.value)
    assert set((state / "run").glob("*")) == before
    assert [check.name for check in backend.checks() if not check.ok] == ["sandbox"]


@pytest.mark.sandbox
@pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
def test_a_start_that_fails_on_a_host_that_works_may_be_tried_again(
    backend: SandboxBackend, tree: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set((state / "run").glob("*"))
    good = bubblewrap.arguments
    for spoilt in (["--no-such-argument"], ["--unshare-all", "--ro-bind", "/", "/", "--", "/bin/false"]):
        monkeypatch.setattr(bubblewrap, "arguments", lambda spec, folder, words=spoilt: words)
        with pytest.raises(SandboxDied, match="while it was started"):
            backend.start(SandboxSpec(tree=tree))
    assert set((state / "run").glob("*")) == before
    monkeypatch.setattr(bubblewrap, "arguments", good)
    backend.start(SandboxSpec(tree=tree)).close()


def test_advice_fits_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "PROC", _proc(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(host, "in_container", lambda: False)
    assert host.advice() == "apt-get install bubblewrap"
    monkeypatch.setattr(host, "in_container", lambda: True)
    assert "docker run --security-opt seccomp=unconfined" in host.advice()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert "procMount: Unmasked" in host.advice()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root shows folders to another user")
@pytest.mark.sandbox
@pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
def test_folder_made_again_is_shown_again(backend: SandboxBackend, tmp_path: Path) -> None:
    tree = tmp_path / "closed" / "tree"
    for turn in ("one", "two"):
        tree.mkdir(parents=True)
        tree.parent.chmod(0o700)
        (tree / turn).touch()
        with backend.start(SandboxSpec(tree=tree)) as sandbox:
            assert sandbox.run("ls").stdout.decode() == f"{turn}\n"
        shutil.rmtree(tree.parent)


@pytest.mark.sandbox
@pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
def test_checks_of_a_host_that_works(backend: SandboxBackend) -> None:
    found = backend.checks()
    assert {"bwrap", "user namespaces", "disk", "git", "bash", "sandbox"} <= {check.name for check in found}
    for check in found:
        assert check.detail
        assert check.ok or check.fix


def _proc(folder: Path, **values: str) -> Path:
    for name, value in {"user/max_user_namespaces": "100", **values}.items():
        path = folder / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")
    return folder


@pytest.mark.parametrize(
    ("switch", "value", "fix"),
    [
        ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ],
)
def test_obstacles_come_with_their_fix(tmp_path: Path, switch: str, value: str, fix: str) -> None:
    bad = [check for check in host.kernel_checks(_proc(tmp_path, **{switch: value})) if not check.ok]
    assert [check.fix for check in bad] == [fix]
    assert all(check.ok for check in host.kernel_checks(_proc(tmp_path / "good")))


def test_kernel_without_user_namespaces(tmp_path: Path) -> None:
    assert not host.kernel_checks(tmp_path)[0].ok


def test_barriers(tmp_path: Path) -> None:
    deep = tmp_path / "closed" / "open" / "state"
    deep.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert staging.below_barrier(deep, os.geteuid() + 54321) == tmp_path / "closed" / "open"
    assert staging.below_barrier(Path("/usr/bin"), 54321) is None


def test_version_of_no_program(tmp_path: Path) -> None:
    assert binary.version_of(tmp_path / "none") == (0,)
    assert binary.version_of(Path("/bin/true")) == (0,)


def test_groups_are_limited_and_removed() -> None:
    found = cgroups.hierarchy()
    if found is None:
        pytest.skip("no control groups here")
    group = cgroups.Group(found, "test-of-limits", 64 << 20, 32)
    try:
        assert (found.pids / "test-of-limits" / "pids.max").read_text() == "32\n"
        assert group.oom_kills() == 0
    finally:
        group.close()
    assert not (found.memory / "test-of-limits").exists()
    group.close()


def test_scripted_sandbox_answers_and_keeps_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\n")
    scripted = ScriptedBackend({"ls": b"a.py\n", "bad": ExecResult(2, b"", b"no", 0.1), "die": SandboxDied("gone")})
    with scripted.start(SandboxSpec(tree=tmp_path)) as sandbox:
        assert sandbox.run("ls").stdout == b"a.py\n"
        assert sandbox.shell().run("bad").exit_code == 2
        assert sandbox.run("unknown").exit_code == 127
        with pytest.raises(SandboxDied):
            sandbox.run("die")
        sandbox.apply((FileChange("b/c", b"new", 0o755), FileChange("a.py", None)))
        assert sandbox.manifest()["b/c"].sha256 == hashlib.sha256(b"new").hexdigest()
        assert sandbox.read_file("/testbed/b/c") == b"new"
        with pytest.raises(FileNotFoundError):
            sandbox.read_file("a.py")
    assert scripted.started[0].commands == ["ls", "bad", "unknown", "die"]
    with pytest.raises(SandboxDied):
        sandbox.run("ls")


def test_scripted_sandbox_by_function() -> None:
    sandbox = ScriptedSandbox(lambda command: command.upper().encode(), {"f": b"1"})
    assert sandbox.run("echo").stdout == b"ECHO"
    assert sandbox.manifest().keys() == {"f"}
