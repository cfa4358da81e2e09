"""Carries cases out: a sandbox with small limits for each, and the four assertions around what the case does.

1. Each result is of the right class. 2. Each call is back within its limit and a grace. 3. The next command works, in
the same sandbox unless the case may end it. 4. After `close` nothing is left over, and the work tree on the host is as
it was. The first is the case's own; the others hold for every case.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from swesmith_gym.errors import InputError, SandboxDied, SandboxUnavailable
from swesmith_gym.home import home
from swesmith_gym.sandboxes.base import Limits, SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.conformance.case import Case, Finding, Status
from swesmith_gym.sandboxes.conformance.cases import CASES
from swesmith_gym.sandboxes.conformance.traces import Traces, temporary_folder
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial
from swesmith_gym.sandboxes.conformance.worker import CannotRun, Caught, Violation

LIMITS = Limits(
    memory_bytes=256 << 20,
    processes=64,
    file_bytes=32 << 20,
    open_files=512,
    tmp_bytes=16 << 20,
    tree_bytes=64 << 20,
    output_bytes=1 << 18,
)
"""Small, so that reaching them is quick."""
TOKEN = "SANDBOX_CONFORMANCE"
"""Environment variable that marks what belongs to one check."""

_warm: set[tuple[str, str, str, int]] = set()


def check(case: Case, backend: SandboxBackend, root_fs: str = "host") -> Finding:
    """One case on one backend. Not for two threads at a time. Raises: InputError (no such root file system)."""
    began = time.monotonic()
    status, detail = _examine(case, backend, root_fs)
    return Finding(case, status, " ".join(detail.split()), time.monotonic() - began)


def check_all(
    backend: SandboxBackend,
    cases: Sequence[Case] = CASES,
    progress: Callable[[Finding], None] | None = None,
    root_fs: str = "host",
) -> list[Finding]:
    """Every case in turn; `progress` is told of each as soon as it is known. Raises: as `check`."""
    findings = []
    for case in cases:
        findings.append(check(case, backend, root_fs))
        if progress is not None:
            progress(findings[-1])
    return findings


def _examine(case: Case, backend: SandboxBackend, root_fs: str) -> tuple[Status, str]:
    try:
        capabilities = backend.capabilities()
    except SandboxUnavailable as error:
        return Status.CANNOT_RUN, str(error)
    if lacking := case.lacks(capabilities):
        return Status.NOT_PROMISED, f"the backend declares no {' and no '.join(lacking)}"
    token = secrets.token_hex(16)
    note, left = "", list[str]()
    with Caught() as caught, _work_tree(backend) as tree:
        spec = SandboxSpec(tree=tree, root_fs=root_fs, limits=LIMITS, env={TOKEN: token})
        _warm_up(backend, spec)
        before = _content(tree)
        with temporary_folder(tree.parent / "tmp") as folder:
            traces = Traces(backend, token, folder)
            note, wrong = _carry_out(case, Trial(backend, spec, capabilities, traces))
            left = traces.left()
        left += ["a change of the work tree on the host"] if _content(tree) != before else []
        if wrong is not None:
            raise wrong
    return _judge(caught.error, left, note)


def _carry_out(case: Case, trial: Trial) -> tuple[str, Exception | None]:
    """What the case notes, and what went wrong."""
    note = ""
    closing = Caught()
    try:
        with Caught() as caught:
            trial.open()
            note = case.act(trial) or ""
            _go_on(trial)
        if case.may_end and isinstance(caught.error, SandboxDied):
            note = "the sandbox ended, and a fresh one works"
            with Caught() as caught:
                trial.renew()
                _go_on(trial)
    finally:
        with closing:
            trial.close()
    return note, caught.error or closing.error


def _go_on(trial: Trial) -> None:
    for way in WAYS:
        trial.goes_on(way)


def _judge(error: Exception | None, left: list[str], note: str) -> tuple[Status, str]:
    if isinstance(error, InputError):
        raise error
    beyond = isinstance(error, (CannotRun, SandboxUnavailable))
    problems = []
    if error is not None and not beyond:
        problems.append(str(error) if isinstance(error, Violation) else f"{type(error).__name__}: {error}")
    if left:
        problems.append(f"left over after close: {'; '.join(left)}")
    if problems:
        return Status.FAILED, "; ".join(problems)
    return (Status.CANNOT_RUN, str(error)) if beyond else (Status.PASSED, note)


@contextmanager
def _work_tree(backend: SandboxBackend) -> Iterator[Path]:
    """A small tree in a folder of its own that also has room for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="conformance-"))
    folder.chmod(0o755)
    try:
        tree, scratch = folder / "tree", folder / "tmp"
        scratch.mkdir()
        scratch.chmod(0o1777)
        (tree / "pkg").mkdir(parents=True)
        (tree / "pkg/code.py").write_text("x = 1\n")
        (tree / "run.sh").write_text("echo hello\n")
        (tree / "run.sh").chmod(0o755)
        (tree / "link").symlink_to("pkg/code.py")
        backend.own(tree)
        yield tree
    finally:
        with Caught():  # what is wrong with removing it shows by what is left
            backend.remove_tree(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _content(tree: Path) -> list[tuple[str, int, bytes]]:
    """Names, modes and contents of a tree on the host."""
    found = []
    for path in sorted(tree.rglob("*")):
        mode = path.lstat().st_mode
        data = os.fsencode(path.readlink()) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else b""
        found.append((path.relative_to(tree).as_posix(), mode, data))
    return found


def _warm_up(backend: SandboxBackend, spec: SandboxSpec) -> None:
    """What a backend makes once in each process and keeps is nothing that a sandbox has left over."""
    key = (f"{type(backend).__module__}.{type(backend).__qualname__}", spec.root_fs, str(home()), os.getpid())
    if key in _warm:
        return
    with backend.start(spec) as sandbox:
        sandbox.run("true")
        sandbox.shell().run("true")
        sandbox.manifest()
    _warm.add(key)
