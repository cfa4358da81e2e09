"""Bug strategies by name: the door to all of them. What a strategy does is in its own module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swesmith_gym.bugs.asking import Asking
from swesmith_gym.bugs.base import Judge, Strategy
from swesmith_gym.bugs.combine import CombineFile, CombineModule
from swesmith_gym.bugs.drawing import Limits
from swesmith_gym.bugs.lm_modify import LmModify
from swesmith_gym.bugs.lm_rewrite import LmRewrite
from swesmith_gym.bugs.pr_mirror import PrMirror
from swesmith_gym.bugs.procedural import Procedural
from swesmith_gym.errors import InputError
from swesmith_gym.lm.base import LM
from swesmith_gym.records import TaskInstance, content_id
from swesmith_gym.repos.changes.base import SourceChange, rendered


@dataclass(frozen=True, slots=True)
class Means:
    """What a user gives strategies to work with. Each takes what it needs."""

    operators: Sequence[str] = ()
    """Names of the syntax-tree operators to use; empty: all."""
    tasks: Sequence[TaskInstance] = ()
    """Validated bugs to combine."""
    changes: Sequence[SourceChange] = ()
    """Real changes to take back."""
    lm: LM | None = None
    """Writes code for those that ask a model."""
    prompts: Path | None = None
    """A folder of prompts that come before ours."""
    rounds: int = 1
    """Answers of the model to one question, at most."""
    judge: Judge | None = None
    """Tells it what a candidate was no use for."""
    concurrency: int = 1
    """Requests in flight at the same time, at most."""
    most_calls: int | None = None
    """Requests of one strategy, at most."""
    limits: Limits = field(default_factory=Limits)
    """Which entities the model is asked about, and how long requests may be."""

    def key(self, strategy: str) -> str:
        """Equal for means of which this strategy makes the same."""
        if strategy in COMBINING:
            return content_id([task.instance_id for task in self.tasks])
        if strategy in ASKING:
            return content_id(self.lm and self.lm.model, self._prompts_key, self.rounds, self.limits)
        if strategy == PrMirror.name:
            files = [(change.name, rendered(tuple(each.patch for each in change.files))) for change in self.changes]
            return content_id(files, self.lm and self.lm.model, *([self._prompts_key] if self._prompts_key else []))
        return content_id(self.operators)

    @property
    def _prompts_key(self) -> str:
        """Equal for folders that hold the same; empty: ours alone are used."""
        if self.prompts is None:
            return ""
        return content_id([(file.name, file.read_bytes()) for file in sorted(self.prompts.glob("*.toml"))])


def _asking(kind: type[LmModify | LmRewrite]) -> Callable[[Means], Asking]:
    def make(means: Means) -> Asking:
        if means.lm is None:
            raise InputError(
                f"{kind.name} asks a language model, and none is named: give --model NAME (and --base-url)"
            )
        return kind(
            lm=means.lm,
            prompts=means.prompts,
            rounds=means.rounds,
            judge=means.judge,
            concurrency=means.concurrency,
            limits=means.limits,
            most_calls=means.most_calls,
        )

    return make


def _mirror(means: Means) -> Strategy:
    if not means.changes:
        raise InputError("pr_mirror has no change to take back: give --patches PATH, --range A..B, or --from VERSION")
    return PrMirror(tuple(means.changes), means.lm, means.prompts)


_ASKERS = {kind.name: _asking(kind) for kind in (LmModify, LmRewrite)}
MAKERS: dict[str, Callable[[Means], Strategy]] = {
    Procedural.name: lambda means: Procedural(tuple(means.operators)),
    **_ASKERS,
    CombineFile.name: lambda means: CombineFile(means.tasks),
    CombineModule.name: lambda means: CombineModule(means.tasks),
    PrMirror.name: _mirror,
}
"""Every strategy of this version."""
ASKING = frozenset(_ASKERS)
"""Those that need a language model."""
COMBINING = frozenset({CombineFile.name, CombineModule.name})
"""Those that need validated bugs."""


def check_name(name: str) -> None:
    """Raises: InputError (there is no strategy of that name)."""
    if name not in MAKERS:
        raise InputError(f"unknown strategy {name!r}: this version has {', '.join(sorted(MAKERS))}")


def check_asking(names: Iterable[str], means: Means) -> None:
    """Those of these strategies that ask a model have one, and prompts that are in order. Raises: InputError."""
    for name in names:
        if name in _ASKERS:
            _ASKERS[name](means).check()


def strategy(name: str, means: Means) -> Strategy:
    """A strategy, ready to be asked. Raises: InputError (there is none of that name, or it lacks something)."""
    check_name(name)
    return MAKERS[name](means)
