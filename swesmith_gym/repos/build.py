"""From a profile to an image: fetch, resolve, install, measure. A repository's code runs in sandboxes only."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError
from swesmith_gym.home import home, write_atomic
from swesmith_gym.languages.base import Language
from swesmith_gym.records import EnvImage, RepoProfile, TestSetup, content_id
from swesmith_gym.repos import baseline, images, index, interpreters, profiles, sources
from swesmith_gym.repos.interpreters import Interpreter
from swesmith_gym.repos.steps import Order, Progress, Work, install, publishable
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.base import SandboxBackend
from swesmith_gym.tasks import tree as trees
from swesmith_gym.tasks.tree import Tree

_LOG_TAIL = 4000


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
    order = Order(profile, backend, fetched.tree, text, say, index.index_url(index_url), ca)
    try:
        return _build(order)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ProfileError(
            f"{profile.name}: no space left below {home()}; free some, or set SWESMITH_GYM_HOME"
        ) from error


def _build(order: Order) -> EnvImage:
    profile = order.profile
    root_fs = order.backend.root_fs()
    interpreter = _interpreter(order, root_fs)
    if order.lock:
        fingerprint = _fingerprint(profile, interpreter.version, order.lock, roots.identity(root_fs))
        known = images.find(profile.name, fingerprint)
        if known:
            return known
    with images.making(profile.name, order.backend) as where:
        work = Work(order, interpreter, where, root_fs)
        try:
            lock, setup = install(work)
            pristine = publishable(work)
            place = baseline.Place(where, order.language, interpreter.prefix, order.backend, root_fs)
            found, setup = baseline.measure(place, setup, order.say)
        except ProfileError as error:
            raise _explained(work, error) from error
        image = _image(work, lock, setup, pristine, found)
        images.publish(where, image, lock, "\n".join(work.log), order.backend)
    profiles.keep_lock(profile, lock)
    return image


def _image(work: Work, lock: str, setup: TestSetup, pristine: Tree, found: baseline.Baseline) -> EnvImage:
    profile = work.order.profile
    surface = work.order.language.surface(list(pristine), setup, list(found.results))
    root = roots.identity(work.root_fs)
    fingerprint = _fingerprint(profile, work.interpreter.version, lock, root)
    return EnvImage(
        key=images.key_of(profile.name, fingerprint),
        repo=profile.name,
        language=profile.language,
        fingerprint=fingerprint,
        root_fs=root,
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
        pass_rates=found.pass_rates,
    )


def _interpreter(order: Order, root_fs: str) -> Interpreter:
    wanted = order.profile.interpreter
    try:
        found, warning = interpreters.choose(wanted, [], root_fs)
    except ProfileError:
        with tempfile.TemporaryDirectory(prefix="swesmith-gym-") as folder:
            tree = Path(folder) / "tree"
            trees.write(order.tree, tree)
            allowed = [v for v in interpreters.installed(root_fs) if _allows(order.language, tree, v)]
        found, warning = interpreters.choose(wanted, allowed, root_fs)
    if warning:
        order.say(f"warning: {warning}")
    return found


def _allows(language: Language, tree: Path, version: str) -> bool:
    try:
        language.detect(tree, interpreter=version)
    except ProfileError as error:
        return error.step != "interpreter"
    return True


def current(profile: RepoProfile, root_fs: str = "") -> EnvImage | None:
    """The image of the profile as it is now: its source, its lock, its way to install and test. None: to be built.

    `root_fs`: the name of the root file system that it must be built on; empty: any. One that was built with another
    Python than the profile names counts only where this host lacks that one.
    """
    lock = profiles.lock(profile.name)
    if not lock:
        return None
    root = roots.identity(root_fs) if root_fs else ""
    fitting = [
        i
        for i in images.of(profile.name)
        if root in ("", i.root_fs) and i.fingerprint == _fingerprint(profile, i.interpreter_version, lock, i.root_fs)
    ]
    exact = [i for i in fitting if i.interpreter_version.rpartition(".")[0] == profile.interpreter]
    if not exact and fitting and profile.interpreter and interpreters.has(profile.interpreter, root_fs):
        return None
    best = exact or fitting
    return best[-1] if best else None


def _fingerprint(profile: RepoProfile, interpreter: str, lock: str, root: str) -> str:
    """`interpreter`: its full version. `root`: what identifies the root file system."""
    how = content_id(profile.install, profile.test, profile.quarantine)
    return images.fingerprint(
        root,
        interpreter=interpreter,
        lock=_sha256(lock),
        source=profile.source_hash,
        runner=languages.get(profile.language).runner_version,
        profile=how,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _explained(work: Work, error: ProfileError) -> ProfileError:
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
