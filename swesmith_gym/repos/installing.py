"""`repos add --agent`: detection first; where it fails an agent finds the commands, and a build from scratch proves it.

Of an agent's work two things are kept: its commands, as a profile that nobody has approved, and the transcript beside
it. Everything is installed again by the ordinary build without the agent, and the tests must do what they did before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from swesmith_gym import languages, visible
from swesmith_gym.errors import LMError, ProfileError, SandboxError
from swesmith_gym.records import EnvImage, Outcome, RepoProfile
from swesmith_gym.repos import add as adding
from swesmith_gym.repos import images, index, interpreters, profiles, proposals, sources, steps, transcripts
from swesmith_gym.repos.add import Wish
from swesmith_gym.repos.build import build
from swesmith_gym.repos.interpreters import Interpreter
from swesmith_gym.repos.proposals import Installer
from swesmith_gym.repos.site import FETCHED, About, Shown, Site
from swesmith_gym.repos.sources import Fetched
from swesmith_gym.repos.steps import Order, Work
from swesmith_gym.repos.transcripts import Transcript
from swesmith_gym.sandboxes.base import SandboxBackend
from swesmith_gym.tasks import tree as trees

_NAMED = 3
_HOPELESS = frozenset({"fetch"})
"""Steps after whose failure an agent has nothing to work on."""


@dataclass(frozen=True, slots=True)
class Added:
    """A repository that is added and built."""

    profile: RepoProfile
    image: EnvImage
    steps: int = 0
    """Answers of the agent's model; 0: detection was enough."""
    cost_usd: float | None = 0.0
    """Of the agent; None: not known."""


@dataclass(frozen=True, slots=True)
class Means:
    """What building takes."""

    backend: SandboxBackend
    say: Callable[[str], None] = lambda _: None
    """Called with what happens next."""
    index_url: str | None = None
    ca_bundle: Path | None = None

    def build(self, profile: RepoProfile) -> EnvImage:
        """From scratch, with a lock of its own. Raises: ProfileError, SandboxUnavailable."""
        return build(
            profile, self.backend, progress=self.say, index_url=self.index_url, ca_bundle=self.ca_bundle, lock=""
        )


def add(wish: Wish, installer: Installer, means: Means) -> Added:
    """Add a repository and build it; where detection or the build fails, with what the installer finds.

    Nothing is saved unless the build is good: a profile of that name stays as it is. What is saved is not approved.
    Raises: InputError, ProfileError (the agent gave up, or from scratch its commands do not give what it had),
    LMError, SandboxError.
    """
    if wish.name:
        profiles.check_name(wish.name)
    fetched = sources.fetch(wish.source, index_url=means.index_url, ca_bundle=means.ca_bundle)
    try:
        profile = adding.detected(fetched, wish)
        image = means.build(profile)
    except ProfileError as error:
        if error.step in _HOPELESS:
            raise
        failure = error
    else:
        profiles.save(profile, _lock(image), "")
        return Added(profile, image)
    reason = visible.line(str(failure), 600)
    means.say(f"detection is not enough ({reason}); the agent begins")
    about = About(fetched.source, wish.language, fetched.version, reason, failure.log)
    return _by_agent(_Case(profiles.check_name(wish.name or fetched.name), fetched, wish, about), installer, means)


def _lock(image: EnvImage) -> str:
    return (images.folder(image.key) / "lock").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Case:
    """A repository that detection has failed on."""

    name: str
    fetched: Fetched
    wish: Wish
    about: About

    @property
    def bare(self) -> RepoProfile:
        """A profile that says nothing yet."""
        return RepoProfile(self.name, self.fetched.source, self.fetched.source_hash, language=self.wish.language)


def _by_agent(case: _Case, installer: Installer, means: Means) -> Added:
    label = visible.line(installer.label)
    with Transcript(transcripts.place(case.name)) as transcript:
        transcript.note("start", source=case.fetched.source, agent=label, reason=case.about.reason)
        try:
            found, shown = _found(case, installer, means, transcript)
            origin = f"agent ({label}), {transcript.steps} steps"
            profile, image = _proven([replace(each, origin=origin) for each in found], shown, means)
        except (LMError, ProfileError, SandboxError) as error:
            transcript.note("end", error=str(error))
            means.say(f"what the agent did: {transcript.path}")
            raise
        transcript.note("end", image=image.key, passed=len(shown.passing))
        profiles.save(profile, _lock(image), transcript.text())
        return Added(profile, image, transcript.steps, transcript.cost_usd)


def _found(case: _Case, installer: Installer, means: Means, transcript: Transcript) -> tuple[list[RepoProfile], Shown]:
    """Let the installer work. Gives the profiles that its proposal can be written as, and what its environment did."""
    ca = index.ca_file(means.ca_bundle) if means.ca_bundle else None
    order = Order(case.bare, means.backend, case.fetched.tree, "", means.say, index.index_url(means.index_url), ca)
    root_fs = means.backend.root_fs()
    with images.making(case.name, means.backend) as where:
        trees.write(order.tree, where / FETCHED)
        work = Work(order, _interpreter(order, where / FETCHED, case.wish.python, root_fs), where, root_fs)
        site = Site(work, case.about, transcript)
        try:
            proposal = installer.install(site)
            shown = site.shown(proposal)
        finally:
            site.close()
        found = proposals.candidates(order.language, where / FETCHED, proposal, case.fetched.version)
    who = case.bare
    named = [replace(each, name=who.name, source=who.source, source_hash=who.source_hash) for each in found]
    return [_confined(each, order) for each in named], shown


def _interpreter(order: Order, tree: Path, wanted: str, root_fs: str) -> Interpreter:
    """What detection would take, or the nearest that is here: the agent may change it."""
    found, warning = interpreters.choose(order.language.interpreter(tree, wanted), None, root_fs)
    if warning:
        order.say(f"warning: {warning}")
    return found


def _confined(profile: RepoProfile, order: Order) -> RepoProfile:
    """The profile, if a build of it reaches the package index only: nothing that an agent says opens more than that."""
    if steps.network(replace(order, profile=profile)) != "index":
        raise ProfileError(f"{profile.name}: the agent's commands name an address outside of the index", step="agent")
    return profile


def _proven(candidates: Sequence[RepoProfile], shown: Shown, means: Means) -> tuple[RepoProfile, EnvImage]:
    """Build from scratch, and compare. The next candidate is tried where one cannot be installed."""
    before = set(images.all_keys())
    for position, profile in enumerate(candidates, 1):
        means.say(f"build from scratch, without the agent ({position} of {len(candidates)})")
        try:
            image = means.build(profile)
        except ProfileError as error:
            if position < len(candidates) and error.step != "baseline":
                means.say(f"not this way: {visible.line(str(error), 300)}")
                continue
            raise ProfileError(
                f"{profile.name}: {len(shown.passing)} tests passed in the agent's environment, but its commands do "
                f"not make that from scratch: {visible.line(str(error), 600)}",
                step=error.step,
                log=error.log,
            ) from error
        if unlike := differences(shown, image):
            if image.key not in before:
                images.discard(image.key, means.backend)
            raise ProfileError(
                f"{profile.name}: from scratch, the agent's commands do not give what its environment did: {unlike}; "
                "a command is missing in its answer, or changes a file of the repository, which a build does not keep",
                step="agent",
            )
        return profile, image
    raise AssertionError("a proposal has a profile at least")


def differences(shown: Shown, image: EnvImage) -> str:
    """Which tests pass in one of both only, those aside that do not count in either; empty: the same ones."""
    aside = shown.aside | image.quarantined.keys()
    passing = {test for test, result in image.baseline.items() if result.outcome is Outcome.PASSED}
    lost = sorted(shown.passing - passing - aside)
    new = sorted(passing - shown.passing - aside)
    parts = [f"{len(lost)} tests passed there only ({_named(lost, image)})"] if lost else []
    parts += [f"{len(new)} tests pass from scratch only ({_named(new, image)})"] if new else []
    return " and ".join(parts)


def _named(tests: Sequence[str], image: EnvImage) -> str:
    """The first of them, each with what it did from scratch."""
    language = languages.get(image.language)
    said = []
    for test in tests[:_NAMED]:
        result = image.baseline.get(test)
        failure = language.failure_summary(result.message) if result else None
        did = f"{failure.exception} {failure.message}".strip() if failure else "not collected"
        said.append(f"{visible.line(test)}{f': {visible.line(did)}' if did else ''}")
    return ", ".join([*said, *(["..."] if len(tests) > _NAMED else [])])
