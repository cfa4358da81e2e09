"""The changes that a user asks for, from one of the sources of this package."""

from __future__ import annotations

import re
from pathlib import Path

from swesmith_gym import languages
from swesmith_gym.errors import InputError
from swesmith_gym.records import RepoProfile
from swesmith_gym.repos import git, index, sources
from swesmith_gym.repos.changes import commits, patch_files, releases
from swesmith_gym.repos.changes.base import SourceChange
from swesmith_gym.tasks import tree as trees

_PYPI = re.compile(r"pypi:\s*(\S+?)\s*==\s*(\S+)")
_HOW = "--patches PATH, --range A..B, or --from VERSION"


def changes_from(
    profile: RepoProfile,
    *,
    patches: Path | None = None,
    patches_on: str = "",
    git_range: str = "",
    git_source: str = "",
    releases_from_to: tuple[str, str] = ("", ""),
    index_url: str | None = None,
    ca_bundle: Path | None = None,
) -> list[SourceChange]:
    """The changes to take back in the repository of `profile`: exactly one source is to be given.

    `patches`: a patch file, or a folder of them; `patches_on`: the release or source that they were made for, so that
    what no longer applies can be merged. `git_range`: `A..B` of the profile's repository, or of `git_source`,
    an address or a clone's folder. `releases_from_to`: two releases of the profile's package; no second one: its own.
    Raises: InputError (none or more than one, or one that the profile does not have), ProfileError (not to be had).
    """
    older, newer = releases_from_to
    given = [name for name, value in (("--patches", patches), ("--range", git_range), ("--from", older)) if value]
    if newer and not older:
        raise InputError("--to needs --from: two releases are compared")
    if not given:
        raise InputError(f"pr_mirror has no change to take back: give {_HOW}")
    if len(given) > 1:
        raise InputError(f"pr_mirror takes changes from one source, not from {' and '.join(given)}")
    if git_source and not git_range:
        raise InputError("--git-source needs --range A..B")
    if patches_on and patches is None:
        raise InputError("--patches-on needs --patches PATH")
    keep = languages.get(profile.language).is_source
    if patches is not None:
        found = patch_files.from_patches(patches)
        return patch_files.on_tree(found, _tree(profile, patches_on, index_url, ca_bundle)) if patches_on else found
    if git_range:
        return commits.from_range(git_source or _repository(profile), git_range, keep=keep, ca=index.ca_file(ca_bundle))
    package, own = _package(profile)
    newer = newer or own
    pinned = profile.source_hash if newer == own else ""
    return releases.between(package, older, newer, keep=keep, pinned=pinned, index_url=index_url, ca_bundle=ca_bundle)


def _tree(profile: RepoProfile, source: str, index_url: str | None, ca_bundle: Path | None) -> dict[str, bytes]:
    """Files of a release of the profile's package, or of any source."""
    if not re.search(r"[:/]", source):
        source = f"pypi:{_package(profile)[0]}=={source}"
    return trees.contents(sources.fetch(source, index_url=index_url, ca_bundle=ca_bundle).tree)


def _repository(profile: RepoProfile) -> str:
    if git.is_address(profile.source):
        return git.split(profile.source)[0]
    if profile.source.startswith("local:"):
        return profile.source.removeprefix("local:")
    raise InputError(f"{profile.name} comes from {profile.source}: name its git repository with --git-source")


def _package(profile: RepoProfile) -> tuple[str, str]:
    match = _PYPI.fullmatch(profile.source)
    if match is None:
        raise InputError(f"{profile.name} comes from {profile.source}, not from a package index: it has no releases")
    return match[1], match[2]
