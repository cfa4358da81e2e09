"""From a profile to an image: fetch, resolve, install, measure. A repository's code runs in sandboxes only."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError
from swesmith_gym.home import home, write_atomic
from swesmith_gym.languages.base import BuildStep, Language
from swesmith_gym.records import EnvImage, RepoProfile, TestSetup, content_id
from swesmith_gym.repos import archives, baseline, images, index, interpreters, profiles, sources
from swesmith_gym.repos.interpreters import Interpreter
from swesmith_gym.sandboxes.base import Limits, Mount, Sandbox, SandboxBackend, SandboxSpec
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.tree import LINK, Tree

ROOT_FS = "host"
STEP_TIMEOUT_S = 1800
LIMITS = Limits(memory_bytes=8 << 30, processes=2048, file_bytes=4 << 30, tmp_bytes=4 << 30)
_BUILD = "/opt/build"
_UV = "/opt/uv"
_ARTEFACTS = re.compile(
    r"(^|/)(build|dist|\.eggs|__pycache__|[^/]*\.(egg|dist)-info|\.\w+_cache)/|\.py[co]$|^uv\.lock$"
)
_LOG_TAIL = 4000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Order:
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
class _Work:
    """One build while it goes on."""

    order: _Order
    interpreter: Interpreter
    where: Path
    log: list[str] = field(default_factory=list)

    @property
    def backend(self) -> SandboxBackend:
        return self.order.backend


def build(
    profile: RepoProfile,
    backend: SandboxBackend,
    *,
    progress: Progress | None = None,
    index_url: str | None = None,
    ca_bundle: Path | None = None,
    lock: str | None = None,
) -> EnvImage:
    """Build the image of a profile, or give the one that is already there.

    `progress`: called with what happens next. `lock`: text of the lock to install; None: the one beside the profile,
    or a new one where there is none, which is then kept beside it; empty: a new one in any case.
    Raises: ProfileError (which step failed, the end of its log, what to try), SandboxUnavailable.
    """
    say = progress or (lambda _: None)
    say("fetch")
    fetched = sources.fetch(profile.source, expected=profile.source_hash, index_url=index_url, ca_bundle=ca_bundle)
    text = profiles.lock(profile.name) if lock is None else lock
    ca = index.ca_file(ca_bundle) if ca_bundle else None
    order = _Order(profile, backend, fetched.tree, text, say, index.index_url(index_url), ca)
    try:
        return _build(order)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ProfileError(
            f"{profile.name}: no space left below {home()}; free some, or set SWESMITH_GYM_HOME"
        ) from error


def _build(order: _Order) -> EnvImage:
    profile = order.profile
    interpreter = _interpreter(order)
    if order.lock:
        known = images.find(profile.name, _fingerprint(order, interpreter, order.lock))
        if known:
            return known
    with images.making(profile.name, order.backend) as where:
        work = _Work(order, interpreter, where)
        try:
            lock, setup = _install(work)
            pristine = _publishable(work)
            place = baseline.Place(where, order.language, interpreter.prefix, order.backend)
            found, setup = baseline.measure(place, setup, order.say)
        except ProfileError as error:
            raise _explained(work, error) from error
        image = _image(work, lock, setup, pristine, found)
        images.publish(where, image, lock, "\n".join(work.log), order.backend)
    profiles.keep_lock(profile.name, lock)
    return image


def _image(work: _Work, lock: str, setup: TestSetup, pristine: Tree, found: baseline.Baseline) -> EnvImage:
    profile = work.order.profile
    surface = work.order.language.surface(list(pristine), setup, list(found.results))
    fingerprint = _fingerprint(work.order, work.interpreter, lock)
    return EnvImage(
        key=images.key_of(profile.name, fingerprint),
        repo=profile.name,
        language=profile.language,
        fingerprint=fingerprint,
        root_fs=ROOT_FS,
        interpreter_version=work.interpreter.version,
        interpreter_prefix=work.interpreter.prefix,
        lock_hash=_sha256(lock),
        source=profile.source,
        license=profile.license,
        test=setup,
        surface=tuple(sorted(surface.files)),
        surface_roots=tuple(sorted(surface.roots)),
        baseline=found.results,
        quarantined={**found.quarantined, **dict.fromkeys(profile.quarantine, "profile")},
        suite_s=found.suite_s,
    )


def _interpreter(order: _Order) -> Interpreter:
    try:
        found, warning = interpreters.choose(order.profile.interpreter, [])
    except ProfileError:
        with tempfile.TemporaryDirectory(prefix="swesmith-gym-") as folder:
            tree = Path(folder) / "tree"
            trees.write(order.tree, tree)
            allowed = [v for v in interpreters.installed() if _allows(order.language, tree, v)]
        found, warning = interpreters.choose(order.profile.interpreter, allowed)
    if warning:
        order.say(f"warning: {warning}")
    return found


def _allows(language: Language, tree: Path, version: str) -> bool:
    try:
        language.detect(tree, interpreter=version)
    except ProfileError as error:
        return error.step != "interpreter"
    return True


def _fingerprint(order: _Order, interpreter: Interpreter, lock: str) -> str:
    profile = order.profile
    how = content_id(profile.install, profile.test, profile.quarantine)
    return images.fingerprint(
        ROOT_FS,
        interpreter=interpreter.version,
        lock=_sha256(lock),
        source=profile.source_hash,
        runner=order.language.runner_version,
        profile=how,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _install(work: _Work) -> tuple[str, TestSetup]:
    """Run the steps. Gives the lock, and the test set-up completed by what the environment holds."""
    order = work.order
    trees.write(order.tree, work.where / "tree")
    for name in ("env", "bytecode", "build"):
        (work.where / name).mkdir()
    for name in ("tree", "env", "bytecode", "build"):
        work.backend.own(work.where / name)
    steps = order.language.build_steps(order.profile, lock=order.lock, interpreter=work.interpreter.path)
    found = {}
    for step in steps:
        order.say(step.name)
        with work.backend.start(_spec(work, step)) as sandbox:
            _run(work, sandbox, step)
            if step is steps[-1]:
                found = {name: _read(sandbox, f"{_BUILD}/{name}") for name in ("lock", "test.json")}
    return found["lock"] or order.lock, _completed(order.profile.test, found["test.json"])


def _spec(work: _Work, step: BuildStep) -> SandboxSpec:
    uv = {
        "UV_CACHE_DIR": f"{_BUILD}/cache",
        "UV_LINK_MODE": "copy",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
    }
    authorities = {}
    if work.order.ca is not None:
        shutil.copyfile(work.order.ca, work.where / "build" / "ca.pem")
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
        network="full" if step.network else "none",
        limits=LIMITS,
    )


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


def _run(work: _Work, sandbox: Sandbox, step: BuildStep) -> None:
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
    except (OSError, UnicodeDecodeError):
        return ""


def _completed(setup: TestSetup, found: str) -> TestSetup:
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


def _publishable(work: _Work) -> Tree:
    """Write the pristine tree: the source as fetched and what the install added (built extensions), artefacts aside."""
    tree = work.order.tree
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


def _explained(work: _Work, error: ProfileError) -> ProfileError:
    """The error with the repository, the end of the log, and where the whole of it was kept."""
    path = home() / "logs" / f"build-{work.order.profile.name}.log"
    write_atomic(path, "\n".join([*work.log, f"== {error.step} failed: {error}", error.log]))
    last = next((line.strip() for line in reversed(error.log.splitlines()) if line.strip()), "")
    shown = f": {last[:200]}" if last and error.step != "baseline" else ""
    return ProfileError(
        f"{work.order.profile.name}: step `{error.step}` failed{shown} ({error}); log: {path}",
        step=error.step,
        log=error.log[-_LOG_TAIL:],
    )
