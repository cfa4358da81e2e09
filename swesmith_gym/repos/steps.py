"""The steps of a build, run in sandboxes: resolving, installing, and the pristine tree that comes of it.

What a step has written is the repository's doing: it is read through the sandbox, or as data without following links.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError, SandboxDied
from swesmith_gym.home import home
from swesmith_gym.languages.base import BuildStep, Language
from swesmith_gym.records import RepoProfile, TestSetup
from swesmith_gym.repos import archives, images, index, interpreters
from swesmith_gym.repos.interpreters import Interpreter
from swesmith_gym.sandboxes.base import Limits, Mount, Network, Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.tree import LINK, Tree

STEP_TIMEOUT_S = 1800
LIMITS = Limits(memory_bytes=8 << 30, processes=2048, file_bytes=4 << 30, tmp_bytes=4 << 30)
FOLDERS = ("tree", "env", "bytecode", "build")
"""What a build writes to, below its own folder."""
_BUILD = "/opt/build"
_UV = "/opt/uv"
_ELSEWHERE = re.compile(r"@\s*(?!file:)[A-Za-z][A-Za-z0-9+.\-]*://")
"""A dependency's own address; the tree's, below `file:`, needs no network."""
_ARTEFACTS = re.compile(
    r"(^|/)(build|dist|\.eggs|__pycache__|[^/]*\.(egg|dist)-info|\.\w+_cache)/|\.py[co]$|^uv\.lock$"
)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built, and how."""

    profile: RepoProfile
    backend: SandboxBackend
    tree: Tree
    lock: str
    """Empty: a new one is made."""
    say: Progress
    index_url: str
    ca: Path | None
    """Certificates that the user named, for the steps that use the network."""

    @property
    def language(self) -> Language:
        return languages.get(self.profile.language)


@dataclass
class Work:
    """One build while it goes on."""

    order: Order
    interpreter: Interpreter
    where: Path
    root_fs: str
    """Name of the root file system that it is built on."""
    log: list[str] = field(default_factory=list)

    @property
    def backend(self) -> SandboxBackend:
        return self.order.backend


def install(work: Work) -> tuple[str, TestSetup]:
    """Run the steps. Gives the lock, and the test set-up completed by what the environment holds."""
    order = work.order
    lay_out(work)
    steps = order.language.build_steps(order.profile, lock=order.lock, interpreter=work.interpreter.path)
    lock, found = order.lock, ""
    for step in steps:
        order.say(step.name)
        with work.backend.start(_spec(work, step)) as sandbox:
            run(work, sandbox, step)
            # As soon as it is there: what the repository's own steps make of it later is not asked.
            lock = lock or _read(sandbox, f"{_BUILD}/lock")
            found = described(sandbox)
    for name in ("tree", "env"):
        work.backend.fetch(work.where / name)
    return lock, completed(order.profile.test, found)


def lay_out(work: Work) -> None:
    """Write what the steps begin with: the tree as fetched, and empty folders for what they make."""
    trees.write(work.order.tree, work.where / "tree")
    for name in FOLDERS[1:]:
        (work.where / name).mkdir()
    if work.order.ca is not None:  # now: later, what lies in that folder is the repository's doing
        shutil.copyfile(work.order.ca, work.where / "build" / "ca.pem")
    for name in FOLDERS:
        work.backend.own(work.where / name)


def workbench(work: Work) -> SandboxSpec:
    """A sandbox in which what the steps do can be tried by hand, and the tests be run. The index is all it reaches."""
    spec = _spec(work, BuildStep("workbench", "", network=True))
    return replace(spec, mounts=(*spec.mounts, Mount(work.order.language.tools, images.RUNNER)), network="index")


def _spec(work: Work, step: BuildStep) -> SandboxSpec:
    uv = {
        "UV_CACHE_DIR": f"{_BUILD}/cache",
        "UV_LINK_MODE": "copy",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
    }
    authorities = {}
    if work.order.ca is not None:
        authorities = {"SSL_CERT_FILE": f"{_BUILD}/ca.pem", "REQUESTS_CA_BUNDLE": f"{_BUILD}/ca.pem"}
    no_bytecode = {"PYTHONDONTWRITEBYTECODE": "1"}
    return SandboxSpec(
        tree=work.where / "tree",
        tree_writable=True,
        mounts=(
            Mount(work.where / "env", images.ENV, writable=True),
            Mount(work.where / "build", _BUILD, writable=True),
            Mount(_uv_folder(), _UV),
            *interpreters.mounts(work.interpreter.prefix),
        ),
        links=interpreters.links(work.interpreter.prefix),
        env={
            "VIRTUAL_ENV": images.ENV,
            **no_bytecode,
            **uv,
            **({"UV_DEFAULT_INDEX": work.order.index_url} | authorities if step.network else {}),
        },
        path=(f"{images.ENV}/bin", _UV),
        network=network(work.order) if step.network else "none",
        index_hosts=index.hosts(work.order.index_url),
        limits=LIMITS,
        root_fs=work.root_fs,
    )


def network(order: Order) -> Network:
    """The package index and nothing else, unless a dependency comes from elsewhere."""
    direct = any(_ELSEWHERE.search(line) for line in (*order.profile.requirements, *order.lock.splitlines()))
    return "full" if direct else "index"


def _uv_folder() -> Path:
    """A folder that holds nothing but uv: the one it is installed in holds more than a build should see."""
    binary = interpreters.uv_binary()
    state = binary.stat()
    folder = home() / "tools" / f"uv-{state.st_size}-{state.st_mtime_ns}"
    if not (folder / "uv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            copy = Path(temporary) / "uv"
            shutil.copyfile(binary, copy)
            copy.chmod(0o755)
            copy.replace(folder / "uv")
    return folder


def run(work: Work, sandbox: Sandbox, step: BuildStep) -> None:
    """Run one step, and log it. Raises: ProfileError (it failed), SandboxDied."""
    done = sandbox.run(step.command, timeout_s=STEP_TIMEOUT_S, stdin=step.stdin)
    output = (done.stdout + done.stderr).decode(errors="replace")
    work.log.append(f"== {step.name} ({done.duration_s:.1f} s)\n{step.command}\n--\n{output}")
    if done.exit_code == 0:
        return
    how = f"took longer than {STEP_TIMEOUT_S} s" if done.timed_out else f"ended with exit code {done.exit_code}"
    how = "ran out of memory" if done.oom_killed else how
    raise ProfileError(f"{how}; {step.advice}", step=step.name, log=output)


def _read(sandbox: Sandbox, path: str) -> str:
    try:
        return sandbox.read_file(path, limit=16 << 20).decode()
    except SandboxDied:
        raise
    except (OSError, UnicodeDecodeError):
        return ""


def described(sandbox: Sandbox) -> str:
    """What the step that looks at the environment has found of it; empty where it has not."""
    return _read(sandbox, f"{_BUILD}/test.json")


def completed(setup: TestSetup, found: str) -> TestSetup:
    """The set-up with the plug-ins that were found in the environment, unless the profile names its own."""
    try:
        names = json.loads(found or "{}").get("plugins", [])
    except (ValueError, AttributeError):
        names = []
    usable = (
        [n for n in names if isinstance(n, str) and re.fullmatch(r"[A-Za-z_][\w.]*", n)]
        if isinstance(names, list)
        else []
    )
    return setup if setup.plugins else replace(setup, plugins=tuple(usable))


def publishable(work: Work) -> Tree:
    """Write the pristine tree: the source as fetched and what the install added (built extensions), artefacts aside."""
    tree = work.order.tree
    _check_size(work.where / "tree")
    added = [
        (path, mode, data)
        for path, (mode, data) in trees.read(work.where / "tree").items()
        if path not in tree and mode != LINK and not _ARTEFACTS.search(path)
    ]
    pristine = archives.guard([*((p, m, d) for p, (m, d) in tree.items()), *added])
    trees.write(pristine, work.where / "testbed")
    work.backend.own(work.where / "testbed")
    for name in ("tree", "build"):
        work.backend.remove_tree(work.where / name)
    return pristine


def _check_size(folder: Path) -> None:
    """Raises: ProfileError, where the install has made more than can be kept."""
    total = files = 0
    for parent, _, names in os.walk(folder):
        files += len(names)
        total += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)
        if files > archives.MAX_FILES or total > archives.MAX_BYTES:
            raise ProfileError(
                f"installing left more than {archives.MAX_FILES} files or {archives.MAX_BYTES >> 20} MiB",
                step="install",
            )
