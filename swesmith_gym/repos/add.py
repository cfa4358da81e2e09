"""`repos add`: from a source to a profile, by detection and by what the user says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError
from swesmith_gym.languages.base import Language
from swesmith_gym.records import RepoProfile
from swesmith_gym.repos import interpreters, profiles, sources
from swesmith_gym.repos.sources import Fetched
from swesmith_gym.tasks import tree as trees


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user says of a repository. Empty: to be detected."""

    source: str
    name: str = ""
    python: str = ""
    install: tuple[str, ...] = ()
    test_command: str = ""
    language: str = "python"


def add(
    source: str,
    name: str = "",
    python: str = "",
    install: list[str] | tuple[str, ...] = (),
    test_command: str = "",
    *,
    language: str = "python",
    index_url: str | None = None,
    ca_bundle: Path | None = None,
) -> RepoProfile:
    """Fetch a source, detect how it is installed and tested, and save the profile. Nothing of it is executed.

    Empty arguments are detected. A profile of that name among the user's is replaced, and its lock dropped.
    Raises: InputError, ProfileError (not to be had, nothing to install, no tests, Python not allowed by it).
    """
    wish = Wish(source, name, python, tuple(install), test_command, language)
    if name:
        profiles.check_name(name)
    profile = detected(sources.fetch(source, index_url=index_url, ca_bundle=ca_bundle), wish)
    profiles.save(profile, "", "")
    return profile


def detected(fetched: Fetched, wish: Wish) -> RepoProfile:
    """The profile of a source that is here, not saved. Raises: InputError, ProfileError."""
    with tempfile.TemporaryDirectory(prefix="swesmith-gym-") as folder:
        tree = Path(folder) / "tree"
        trees.write(fetched.tree, tree)
        try:
            found = _detect(languages.get(wish.language), tree, wish.python, fetched.version, wish.test_command)
        except ProfileError as error:
            raise ProfileError(f"{wish.source}: {error}", step=error.step, log=error.log) from error
    return replace(
        found,
        name=profiles.check_name(wish.name or fetched.name),
        source=fetched.source,
        source_hash=fetched.source_hash,
        install=_installation(found.install, wish.install),
    )


def _detect(language: Language, tree: Path, python: str, version: str, test_command: str) -> RepoProfile:
    """Detection, with an interpreter that this host has where the tree leaves the choice."""
    found = language.detect(tree, interpreter=python, version=version, test_command=test_command)
    if python or interpreters.has(found.interpreter):
        return found
    for each in interpreters.installed():
        try:
            return language.detect(tree, interpreter=each, version=version, test_command=test_command)
        except ProfileError as error:
            if error.step != "interpreter":
                raise
    return found


def _installation(detected: tuple[str, ...], said: tuple[str, ...]) -> tuple[str, ...]:
    """The user's commands in place of the detected ones; variables that give a version stay."""
    return (*(line for line in detected if line.startswith("export ")), *said) if said else detected
