"""What a case and a finding are: the records of the suite. Carrying cases out is the business of `run`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal

from swesmith_gym.sandboxes.base import SandboxCapabilities
from swesmith_gym.sandboxes.conformance.trial import Trial

Act = Callable[[Trial], str | None]
Group = Literal["R", "T", "O", "F", "N", "S"]
"""Resources, time and processes, output and input, files, network, privilege."""
Need = Literal["network_isolation", "process_isolation", "memory_limit", "process_limit", "disk_limit", "separate_user"]
"""A field of `SandboxCapabilities`."""


class Status(StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_PROMISED = "not_promised"
    """The backend declares that it lacks what the case needs."""
    CANNOT_RUN = "cannot_run"
    """This host, or the sandbox's file system, lacks what the case needs."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that code inside, or an agent's files, can do to a sandbox."""

    id: str
    """Group and number, e.g. `R01`."""
    group: Group
    name: str
    act: Act
    """Does it in a fresh sandbox. Raises `Violation` where a promise is broken; what it returns is worth knowing."""
    needs: tuple[Need, ...] = ()
    """What the backend must declare for the case to be promised."""
    may_end: bool = False
    """The sandbox may end with `SandboxDied`; a fresh one has to work then."""

    def lacks(self, capabilities: SandboxCapabilities) -> list[Need]:
        """Needs that the backend does not declare."""
        declared = asdict(capabilities)
        return [need for need in self.needs if declared[need] in (False, "none")]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one case showed of one backend."""

    case: Case
    status: Status
    detail: str
    """Why, on one line; of a case that passed, what there is to know about it, mostly nothing."""
    seconds: float
    """Wall time of the whole check, start and close of the sandbox included."""
