"""Every error that swesmith-gym raises on purpose.

    SweSmithGymError
    ├── ProfileError          a repository is bad or cannot be built (carries the failing step and its log)
    ├── SandboxError
    │   ├── SandboxUnavailable   the backend is not usable on this host (says which command fixes it)
    │   ├── SandboxUnsupported   the backend cannot do what was asked
    │   └── SandboxDied          the sandbox went away during a call; a fresh one may succeed
    ├── CandidateRejected     a bug candidate is no task; a result that is stored, with a reason code
    ├── PatchDoesNotApply     a diff is malformed, unsafe, or does not fit the tree
    ├── GradingFault          the host, not the submission, kept a grading from ending
    ├── TaskTableError        a task table, or a row of one, is unusable (names file, row, column)
    │   └── TaskNotFound
    ├── InputError            any other bad input from a user
    └── LMError               a language model endpoint failed (provider, status, retryable, lasting)
        ├── ContextExceeded   the request is longer than the model can read
        └── BudgetExhausted   the request may cost more than is left to spend

Each also inherits the fitting builtin, pickles across process borders, and says in its message what
happened, where, and what to do. Commands print that message on one line and exit with code 2.
"""

from __future__ import annotations

from typing import Any

_NO_RIGHT = frozenset({401, 402, 403, 404, 405, 407})
"""HTTP statuses of a key, an account or an address that is no good (RFC 9110, section 15.5)."""


class SweSmithGymError(Exception):
    """Root of the tree. Keyword details survive pickling."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.__dict__.update(details)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), dict(self.__dict__))


def _rebuild(kind: type[SweSmithGymError], details: dict[str, Any]) -> SweSmithGymError:
    return kind(**details)


class ProfileError(SweSmithGymError, ValueError):
    """A repository cannot be used: `step` names what failed, `log` holds the end of its output."""

    step: str
    log: str

    def __init__(self, message: str, *, step: str = "", log: str = "") -> None:
        super().__init__(message, step=step, log=log)


class SandboxError(SweSmithGymError, RuntimeError):
    """A sandbox could not do its work, for a reason on the host's side."""


class SandboxUnavailable(SandboxError):
    """The backend cannot be used on this host; `fix` is the command that would change that."""

    fix: str

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message, fix=fix)


class SandboxUnsupported(SandboxError, NotImplementedError):
    """The backend works, but lacks the capability that was asked for."""


class SandboxDied(SandboxError, ConnectionError):
    """The sandbox ended while it was in use. Retryable on a fresh one."""


class CandidateRejected(SweSmithGymError, ValueError):
    """A bug candidate that does not become a task. `reason` is one of `records.REJECTION_REASONS`."""

    reason: str
    detail: str

    def __init__(self, message: str = "", *, reason: str = "", detail: str = "") -> None:
        super().__init__(message or f"{reason}: {detail}", reason=reason, detail=detail)


class PatchDoesNotApply(SweSmithGymError, ValueError):
    """A diff is malformed, unsafe, or does not fit the tree that it is applied to."""


class GradingFault(SweSmithGymError, RuntimeError):
    """Grading failed on evidence from the host's side. It is never turned into a number."""


class TaskTableError(SweSmithGymError, ValueError):
    """A task table or one of its rows is unusable; the message names file, row and column."""


class TaskNotFound(TaskTableError, LookupError):
    """No task of that id in the table."""


class InputError(SweSmithGymError, ValueError):
    """Bad input from a user that no other class names."""


class LMError(SweSmithGymError, RuntimeError):
    """A language model endpoint failed."""

    provider: str
    status: int | None
    retryable: bool
    may_cost: bool
    """The request was sent and no usable answer came: it may have been charged for all the same."""
    retry_after_s: float | None
    """The endpoint asks to be left alone for so long, in seconds."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        retryable: bool = False,
        may_cost: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(
            message,
            provider=provider,
            status=status,
            retryable=retryable,
            may_cost=may_cost,
            retry_after_s=retry_after_s,
        )

    @property
    def lasting(self) -> bool:
        """Every later request would end like this one, so that it ends the job and not the item alone: who asks has no
        right or no credit, the address is wrong, or nobody is there. What was sent may be answered another time."""
        if self.status is None:
            return not self.may_cost
        no_quota = self.status == 429 and not self.retryable
        return self.status in _NO_RIGHT or 300 <= self.status < 400 or no_quota


class ContextExceeded(LMError):
    """A request is longer than the model can read. Asking again is of no use."""

    @property
    def lasting(self) -> bool:
        """A shorter one may be answered."""
        return False


class BudgetExhausted(LMError):
    """A request was not sent: it might have cost more than the budget leaves. What was answered is kept."""

    @property
    def lasting(self) -> bool:
        """Nothing is left to spend."""
        return True
