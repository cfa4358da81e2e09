"""`repos add`: from a source to a profile, by detection and by what the user says."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError
from swesmith_gym.languages.base import Language
from swesmith_gym.records import RepoProfile
from swesmith_gym.repos import interpreters, profiles, sources
from swesmith_gym.tasks import tree as trees


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
    if name:
        profiles.check_name(name)
    fetched = sources.fetch(source, index_url=index_url, ca_bundle=ca_bundle)
    with tempfile.TemporaryDirectory(prefix="swesmith-gym-") as folder:
        tree = Path(folder) / "tree"
        trees.write(fetched.tree, tree)
        try:
            found = _detect(languages.get(language), tree, python, fetched.version, test_command)
        except ProfileError as error:
            raise ProfileError(f"{source}: {error}", step=error.step, log=error.log) from error
    profile = replace(
        found,
        name=profiles.check_name(name or fetched.name),
        source=fetched.source,
        source_hash=fetched.source_hash,
        install=_installation(found.install, tuple(install)),
    )
    profiles.save(profile, "")
    return profile


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
