"""What an installer proposes, and the profiles that come of it: text of a stranger, checked, and never run here.

An installer is given a site (`repos.site`) and finds out there how a repository is installed and tested. The agent that
does so with a model lives in a higher layer and is handed in by the command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Language
from swesmith_gym.records import RepoProfile

if TYPE_CHECKING:
    from swesmith_gym.repos.site import Site

MOST_COMMANDS = 50
MOST_CHARS = 4000
"""Of one command, or of one value."""
_VERSION = re.compile(r"\d{1,2}\.\d{1,3}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """How a repository is installed and tested, as an installer says."""

    python: str
    """Version of the language's interpreter, `X.Y`."""
    install: tuple[str, ...]
    """Commands that have to be run, in order, each from the top of the work tree, in an empty environment."""
    test_command: str
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the test run."""


class Installer(Protocol):
    """Finds out how a repository is installed. One object installs one repository at a time."""

    @property
    def label(self) -> str:
        """Who it is, in a few words: stands in the profile and on the screen of `repos review`."""
        ...

    def install(self, site: Site) -> Proposal:
        """Work at the site, and say what has to be done. What was done there is not kept.

        Raises: ProfileError (it gives up), LMError, SandboxError.
        """
        ...


def check(proposal: Proposal) -> None:
    """Raises: InputError, one line, where a part of it could not stand in a profile, or would hide from its reader."""
    if not _VERSION.fullmatch(proposal.python):
        raise InputError(f"not a version of the form X.Y: {proposal.python[:20]!r}")
    if len(proposal.install) > MOST_COMMANDS or len(proposal.env) > MOST_COMMANDS:
        raise InputError(f"more than {MOST_COMMANDS} commands or variables")
    for text in (*proposal.install, proposal.test_command, *proposal.env, *proposal.env.values()):
        _check_text(text)
    if not all(command.strip() for command in proposal.install):
        raise InputError("a command in `install` is empty")


def _check_text(text: str) -> None:
    if len(text) > MOST_CHARS:
        raise InputError(f"longer than {MOST_CHARS} characters: {text[:40]!r}...")
    hidden = next((sign for sign in text if not sign.isprintable() and sign not in "\n\t"), "")
    if hidden:
        raise InputError(f"a character that no screen shows, {hidden!a}, in {text[:60]!a}")


def candidates(language: Language, tree: Path, proposal: Proposal, version: str = "") -> tuple[RepoProfile, ...]:
    """Profiles of a proposal, the best one first: what is installed stands in the lock, as far as that can be; then the
    commands as they are, where that is another one. `tree`: as fetched; `version`: as in `Language.detect`.

    Raises: InputError.
    """
    check(proposal)
    found = [
        language.from_commands(
            tree,
            interpreter=proposal.python,
            install=proposal.install,
            test_command=proposal.test_command,
            env=proposal.env,
            version=version,
            locked=locked,
        )
        for locked in (True, False)
    ]
    return (found[0],) if found[0] == found[1] else tuple(found)
