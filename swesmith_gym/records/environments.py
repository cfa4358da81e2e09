"""A repository, and the environment that is built of it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from swesmith_gym.records.runs import TestResult, TestSetup


@dataclass(frozen=True, slots=True)
class RepoProfile:
    """One repository at one version, and how it is installed and tested. Quirks are data here."""

    name: str
    """Short name, unique among profiles: letters, digits, `-`, `_`, `.`."""
    source: str
    """`pypi:NAME==VERSION`, `git+URL@COMMIT`, or `local:FOLDER`."""
    source_hash: str
    """SHA-256 of the archive (pypi), the commit (git), or of the tree's content (local)."""
    language: str = "python"
    """Name of the language folder that understands it."""
    interpreter: str = ""
    """Version of the language's interpreter, e.g. `3.11`."""
    requirements: tuple[str, ...] = ()
    """What must be installed beside the repository: its dependencies, build and test tools (PEP 508)."""
    install: tuple[str, ...] = ()
    """Shell commands that install the repository itself, run in the work tree with the environment active."""
    test: TestSetup = field(default_factory=TestSetup)
    """How its tests run."""
    license: str = ""
    """SPDX expression or the licence's name, as its metadata gives it."""
    quarantine: Mapping[str, str] = field(default_factory=dict)
    """Tests that never count: exact id -> reason."""
    origin: str = ""
    """Who found out how it is installed and tested: empty: detection, or the user; else the agent that did."""
    approved: bool = False
    """A person has looked at what was detected and at the baseline."""


@dataclass(frozen=True, slots=True)
class EnvImage:
    """A built, sealed environment of one repository. Its files lie in the image store under `key`."""

    key: str
    """`NAME-FINGERPRINT12`: the folder's name in the image store."""
    repo: str
    """Name of the profile that it was built from."""
    language: str
    """As in the profile."""
    fingerprint: str
    """Content id over root file system, interpreter version, lock, source and runner version."""
    root_fs: str
    """`host`, or the id of a portable root file system: its origin and digest."""
    interpreter_version: str
    """Full version, e.g. `3.11.2`."""
    interpreter_prefix: str
    """Folder of the base interpreter on the host; empty where it lies below `/usr`."""
    lock_hash: str
    """SHA-256 of the lock file."""
    source: str
    """As in the profile."""
    license: str
    """As in the profile."""
    test: TestSetup
    """As in the profile, completed at build."""
    surface: tuple[str, ...]
    """Files of the test surface, relative paths, sorted."""
    surface_roots: tuple[str, ...]
    """Folders that hold tests only: a file that appears below one belongs to the surface."""
    baseline: Mapping[str, TestResult]
    """Test id -> result on the pristine tree; durations are the median over runs."""
    quarantined: Mapping[str, str]
    """Test ids that never count -> reason: one of `repos.baseline.Baseline`, or `profile`."""
    suite_s: float
    """Median wall time of one run of the whole suite, in seconds."""
    pass_rates: Mapping[str, float] = field(default_factory=dict)
    """Test id -> share of the baseline's runs that it passed in, for tests that passed in some and not in all."""
