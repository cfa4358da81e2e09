"""The sandbox contract, promise by promise, on every backend that this host can run."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from swesmith_gym.errors import SandboxDied
from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes.base import WORKDIR, Mount, Sandbox, SandboxBackend

pytestmark = pytest.mark.sandbox

Start = Callable[..., Sandbox]


def test_run_gives_streams_and_code_apart(sandbox: Sandbox) -> None:
    result = sandbox.run("echo out; echo err >&2; exit 3")
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 3)
    assert (result.timed_out, result.oom_killed, result.output_truncated) == (False, False, False)
    assert 0 < result.duration_s < 10


def test_run_takes_folder_environment_and_input(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 4096
    result = sandbox.run('pwd; echo "$A"; sha256sum', cwd="/tmp", env={"A": "b c"}, stdin=data)
    assert result.stdout.decode().split("\n")[:2] == ["/tmp", "b c"]
    assert hashlib.sha256(data).hexdigest() in result.stdout.decode()
    assert sandbox.run("true", stdin=b"x" * (1 << 22)).exit_code == 0
    assert sandbox.run("pwd", cwd="/no/such").exit_code == 126


def test_run_is_apart_from_the_session(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    shell.run("cd /tmp; v=1; sleep 300 & echo $! > /tmp/job")
    assert sandbox.run("pwd; echo $v").stdout == b"/testbed\n\n"
    assert shell.run("pwd; echo $v; kill -0 $(cat /tmp/job) && echo lives").stdout == b"/tmp\n1\nlives\n"


ODD = {
    "half": chr(0xD83D),
    "byte": chr(0xDCFF),
    "both": chr(0xD83D) + chr(0xDCFF),
    "emoji": "\U0001f600",
    "control": "\u202e\x07\x1b[2J",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_any_text_is_a_command(sandbox: Sandbox, odd: str) -> None:
    for act in (sandbox.run, sandbox.shell().run):
        assert act(f"echo '<{odd}>'").stdout.startswith(b"<")
        assert act(odd).exit_code == 127
    sandbox.apply((FileChange(f"odd{odd}", b"1"),))
    assert len(sandbox.manifest()) == 4


def test_session_collects_its_orphans(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    shell.run("for i in 1 2 3 4 5 6 7 8; do (setsid true &); done")
    assert shell.run("while set -- /proc/[0-9]*; [ $# != 2 ]; do sleep 0.05; done").exit_code == 0


def test_endless_limit(sandbox: Sandbox) -> None:
    for act in (sandbox.run, sandbox.shell().run):
        assert act("echo on", timeout_s=float("inf")).stdout == b"on\n"
        assert act("sleep 9", timeout_s=0).timed_out


def test_nul_is_refused(sandbox: Sandbox) -> None:
    for act in (sandbox.run, sandbox.shell().run):
        with pytest.raises(ValueError, match="NUL"):
            act("echo \0")


def test_session_keeps_its_state(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    assert sandbox.shell() is shell
    shell.run(
        "cd pkg; x=5; export Y=6; declare -A m=([k]=v); f() { echo f$x; }; alias hi='echo aliased'; set -o pipefail"
    )
    assert shell.run("pwd; f; echo ${m[k]}; bash -c 'echo $Y'").stdout == b"/testbed/pkg\nf5\nv\n6\n"
    assert shell.run("hi").stdout == b"aliased\n"
    assert shell.run("false | true").exit_code == 1
    assert shell.run("echo $?").stdout == b"1\n"
    shell.run("(exit 42)")
    assert shell.run("echo $?").stdout == b"42\n"
    assert not shell.restarted


@pytest.mark.parametrize("command", ["break", "continue", "return", "shift", "wait", ":", "set +e", "popd"])
def test_session_survives_builtins_out_of_place(sandbox: Sandbox, command: str) -> None:
    shell = sandbox.shell()
    shell.run("x=1")
    shell.run(command)
    assert shell.run("echo $x").stdout == b"1\n"


def test_session_mixes_its_streams_in_order(sandbox: Sandbox) -> None:
    result = sandbox.shell().run("for i in 1 2 3; do echo o$i; echo e$i >&2; done")
    assert (result.stdout, result.stderr) == (b"o1\ne1\no2\ne2\no3\ne3\n", b"")


def test_redirections_of_a_session_end_with_the_command(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    assert shell.run("exec > /tmp/log 2>&1; echo hidden").stdout == b""
    assert shell.run("cat /tmp/log").stdout == b"hidden\n"


@pytest.mark.parametrize(
    ("command", "code"), [("exit 3", 3), ("exec true", 0), ("kill -9 $$", 137), ("set -e; false", 1)]
)
def test_session_that_ends_is_replaced(sandbox: Sandbox, command: str, code: int) -> None:
    shell = sandbox.shell()
    shell.run("cd /tmp; x=1")
    assert shell.run(command).exit_code == code
    assert shell.restarted
    assert shell.run("pwd; echo [$x]").stdout == b"/tmp\n[]\n"
    assert not shell.restarted


def test_session_after_its_limit(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    result = shell.run("cd /tmp; echo before; sleep 60 & sleep 60", timeout_s=0.3)
    assert result.timed_out
    assert result.stdout.startswith(b"before\n")
    assert b"time limit" in result.stdout
    assert shell.restarted
    assert shell.run("pwd; set -- /proc/[0-9]*; echo $#").stdout == b"/tmp\n2\n"


def test_session_in_a_folder_that_went_away(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    shell.run("mkdir -p /tmp/a/b; cd /tmp/a/b; rm -r /tmp/a")
    shell.run("exit")
    assert shell.run("pwd").stdout == b"/tmp\n"


def test_what_is_seen_inside(sandbox: Sandbox) -> None:
    result = sandbox.run("id -u; id -un; hostname; pwd; echo $HOME $TZ $LANG; ls -A /tmp /dev/shm ~; date +%Z; umask")
    assert result.stdout.decode().splitlines() == [
        *("1000", "agent", "sandbox", WORKDIR, "/home/agent UTC C.UTF-8"),
        *("/dev/shm:", "", "/home/agent:", "", "/tmp:", "UTC", "0022"),
    ]
    names = sandbox.run("compgen -e").stdout.decode().split()
    expected = {
        "HOME",
        "LANG",
        "LC_ALL",
        "LOGNAME",
        "PATH",
        "PWD",
        "SHELL",
        "SHLVL",
        "TERM",
        "TZ",
        "USER",
        "_",
        "OLDPWD",
    }
    assert set(names) <= expected


def test_environment_and_path_of_the_spec(start: Start) -> None:
    sandbox = start(env={"A": "1", "TZ": "Asia/Tokyo"}, path=("/opt/env/bin",))
    for act in (sandbox.run, sandbox.shell().run):
        assert act("echo $A $TZ $PATH").stdout == b"1 Asia/Tokyo /opt/env/bin:/usr/local/bin:/usr/bin:/bin\n"


def test_tree_is_a_private_copy(start: Start, tree: Path) -> None:
    one, two = start(), start()
    one.run("echo changed > run.sh; rm pkg/code.py; mkdir new; echo x > new/x; chmod 600 link; touch /tmp/one")
    assert two.run("cat run.sh pkg/code.py; ls /tmp").stdout == b"echo hello\nx = 1\n"
    assert sorted(os.listdir(tree)) == ["link", "pkg", "run.sh"]
    assert (tree / "run.sh").read_text() == "echo hello\n"


def test_writable_tree_is_the_tree(start: Start, backend: SandboxBackend, tree: Path) -> None:
    start(tree_writable=True).run("echo built > made")
    assert start(tree_writable=True).run("cat made").stdout == b"built\n"
    backend.fetch(tree)
    assert (tree / "made").read_text() == "built\n"


def test_mounts_and_links(start: Start, backend: SandboxBackend, tmp_path: Path) -> None:
    read_only, writable = tmp_path / "ro", tmp_path / "rw"
    for folder in (read_only, writable):
        folder.mkdir()
        (folder / "file").write_text("data\n")
        backend.own(folder)
    sandbox = start(
        mounts=(Mount(read_only, "/opt/env"), Mount(writable, "/opt/build", writable=True)),
        links={"/opt/there": "/opt/env/file"},
    )
    result = sandbox.run("cat /opt/there; echo x > /opt/env/file; rm /opt/env/file; echo y > /opt/build/new")
    assert result.stdout == b"data\n"
    assert (read_only / "file").read_text() == "data\n"
    backend.fetch(writable)
    assert (writable / "new").read_text() == "y\n"


def test_manifest_lists_files_and_links(sandbox: Sandbox) -> None:
    sandbox.run("git init -q . ; printf '\\303' > $'odd\\xff\\nname'; mkdir empty; rm run.sh; echo two > pkg/two")
    found = sandbox.manifest()
    assert set(found) == {"link", "pkg/code.py", "pkg/two", "odd\udcff\nname"}
    assert found["pkg/two"].sha256 == hashlib.sha256(b"two\n").hexdigest()
    assert (found["pkg/two"].mode, found["pkg/two"].size) == (0o644, 4)
    assert (found["link"].mode, found["link"].sha256) == (0o120000, hashlib.sha256(b"pkg/code.py").hexdigest())
    assert set(sandbox.manifest("pkg")) == {"code.py", "two"}


def test_manifest_ends_what_runs(sandbox: Sandbox) -> None:
    sandbox.shell().run("cd pkg; while :; do date > changing; sleep 0.01; done & v=1")
    sandbox.manifest()
    assert sandbox.run("set -- /proc/[0-9]*; echo $#").stdout == b"2\n"
    assert sandbox.shell().run("pwd; echo [$v]").stdout == b"/testbed/pkg\n[]\n"
    assert sandbox.shell().restarted


@pytest.mark.parametrize("command", ["mkfifo odd", "python3 -c \"import socket; socket.socket(1).bind('odd')\""])
def test_manifest_names_special_files(sandbox: Sandbox, command: str) -> None:
    sandbox.run(command)
    with pytest.raises(OSError, match=r"^odd: "):
        sandbox.manifest()


def test_manifest_has_a_limit(sandbox: Sandbox) -> None:
    sandbox.run("touch $(seq 100)")
    with pytest.raises(OSError, match="more than 50 files"):
        sandbox.manifest(max_files=50)
    assert len(sandbox.manifest(max_files=103)) == 103


def test_nothing_hides_from_the_manifest(sandbox: Sandbox) -> None:
    sandbox.run("mkdir -p a/b; echo x > a/b/c; echo y > d; chmod 000 a/b/c a/b a d; mkdir e; echo z > e/f; chmod 600 e")
    found = sandbox.manifest()
    assert {"a/b/c", "d", "e/f"} <= set(found)
    assert sandbox.read_file("a/b/c") == b"x\n"


def test_read_file(sandbox: Sandbox) -> None:
    data = os.urandom(5 << 20)
    sandbox.run("cat > big", stdin=data)
    assert sandbox.read_file("big") == data
    assert sandbox.read_file("link") == b"x = 1\n"
    assert sandbox.read_file("/etc/hostname") == b"sandbox\n"
    assert sandbox.read_file("big", limit=5 << 20) == data
    with pytest.raises(OSError, match="larger"):
        sandbox.read_file("big", limit=(5 << 20) - 1)


def test_read_file_refusals(sandbox: Sandbox) -> None:
    sandbox.run("mkfifo fifo; ln -s /no/such dangling; ln -s loop loop; echo > closed; chmod 000 closed")
    cases: dict[str, type[OSError]] = {
        "none": FileNotFoundError,
        "dangling": FileNotFoundError,
        "pkg": IsADirectoryError,
        "closed": PermissionError,
        "pkg/code.py/x": NotADirectoryError,
        "fifo": OSError,
        "loop": OSError,
        "/dev/zero": OSError,
        "x" * 5000: OSError,
        "": OSError,
    }
    for path, kind in cases.items():
        with pytest.raises(kind):
            sandbox.read_file(path)
    assert sandbox.run("echo on").stdout == b"on\n"


def test_apply_writes_replaces_and_deletes(sandbox: Sandbox) -> None:
    sandbox.run("ln -s /tmp/outside out; echo safe > /tmp/outside; mkfifo fifo")
    sandbox.apply(
        (
            FileChange("deep/new/file", b"\0\xff", 0o755),
            FileChange("out", b"replaced"),
            FileChange("fifo", b"plain"),
            FileChange("run.sh", None),
            FileChange("not-there", None),
            FileChange("pkg/code.py", None),
            FileChange("pkg", b"a file now"),
            FileChange("sym", b"deep/new/file", 0o120000),
            FileChange("odd\udcff\nname", b"1"),
            FileChange("/tmp/absolute", b"2"),
        )
    )
    found = sandbox.manifest()
    assert set(found) == {"deep/new/file", "out", "fifo", "pkg", "link", "sym", "odd\udcff\nname"}
    assert found["deep/new/file"].mode == 0o755
    assert sandbox.run("cat out fifo pkg /tmp/outside /tmp/absolute").stdout == b"replacedplaina file nowsafe\n2"
    assert sandbox.read_link("sym") == "deep/new/file"
    with pytest.raises(OSError):
        sandbox.read_link("out")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "", "pkg", "x" * 300, "nul\0"])
def test_apply_refusals(sandbox: Sandbox, path: str) -> None:
    with pytest.raises(OSError):
        sandbox.apply((FileChange(path, b"x"),))
    assert sandbox.alive


def test_apply_into_a_closed_folder(sandbox: Sandbox) -> None:
    sandbox.run("chmod 500 pkg")
    sandbox.apply((FileChange("pkg/code.py", b"new"), FileChange("pkg/more.py", b"more")))
    assert sandbox.run("cat pkg/code.py pkg/more.py").stdout == b"newmore"


def test_close_twice_and_use_after(sandbox: Sandbox) -> None:
    shell = sandbox.shell()
    shell.run("sleep 600 &")
    assert sandbox.alive
    sandbox.close()
    sandbox.close()
    assert not sandbox.alive
    for act in (
        lambda: sandbox.run("true"),
        lambda: shell.run("true"),
        lambda: sandbox.read_file("x"),
        sandbox.manifest,
    ):
        with pytest.raises(SandboxDied):
            act()


def test_what_is_covered_cannot_be_read(start: Start, backend: SandboxBackend, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    for name in ("thing/a.py", "thing/deep/b.py", "one.py", "other.py"):
        (shown / name).parent.mkdir(parents=True, exist_ok=True)
        (shown / name).write_text(f"name = {name!r}\n")
    covered = ("/opt/shown/gone", "/opt/shown/one.py", "/opt/shown/thing", "/usr/bin/env")
    sandbox = start(mounts=(Mount(shown, "/opt/shown"),), covered=covered)
    assert backend.capabilities().covers
    assert sandbox.run("grep -rh name /opt/shown").stdout == b"name = 'other.py'\n"
    assert sandbox.run("cat /usr/bin/env").stdout == b""
    assert sandbox.run("cat /usr/bin/stat | wc -c").stdout > b"1"
    assert (shown / "thing/deep/b.py").read_text() == "name = 'thing/deep/b.py'\n"


def test_remove_tree_takes_everything(start: Start, backend: SandboxBackend, tree: Path) -> None:
    start(tree_writable=True).run("mkdir -p a/b; touch a/b/c; mkfifo a/f; ln -s / a/root; chmod 000 a/b/c a/b a")
    deep = "import os\nfor _ in range(1200):\n  os.mkdir('d')\n  os.chdir('d')\nopen('end', 'w')"
    assert start(tree_writable=True).run("python3 -I -S -", stdin=deep.encode()).exit_code == 0
    if backend.capabilities().host_root:  # it is the host's folder that they write
        assert stat.S_IMODE((tree / "a").lstat().st_mode) == 0
    backend.remove_tree(tree)
    assert not tree.exists()
    backend.remove_tree(tree)
