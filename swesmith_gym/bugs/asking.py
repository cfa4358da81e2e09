"""What the strategies share that have a language model write entities anew.

Requests may be in flight at the same time, but which ones are made, and the order of the results, hang on seed, tree
and answers alone: none is sent that would not have been sent one after the other, unless an error ends the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from swesmith_gym.bugs.base import Ground, Judge, Result
from swesmith_gym.bugs.conversation import Conversation, Manner, Outcome
from swesmith_gym.bugs.drawing import Drawing, Limits, Target
from swesmith_gym.bugs.templates import EntityPrompt, load
from swesmith_gym.errors import BudgetExhausted, InputError
from swesmith_gym.lm.base import LM
from swesmith_gym.records import BugCandidate, RejectedCandidate

MOST_FAILURES = 3
"""Conversations in a row that an error of the endpoint may end: then it is taken to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A strategy that asks a model about one entity after the other."""

    name: ClassVar[str]
    blanked: ClassVar[bool]
    """The model does not see the entity's body, and has to keep its signature."""

    lm: LM
    variants: tuple[str, ...]
    """Names of the prompts to use, in turn."""
    prompts: Path | None = None
    """A folder of prompt files that come before ours."""
    temperature: float
    """Of requests whose prompt file says none."""
    limits: Limits = field(default_factory=Limits)
    rounds: int = 1
    """Answers to one question at most: one that was no use goes back to the model with the reason."""
    judge: Judge | None = None
    """Tries a candidate that is not the last answer allowed; without it only answers that cannot be used go back."""
    concurrency: int = 1
    """Requests in flight at the same time, at most."""
    most_calls: int | None = None
    """Requests, at most."""

    def candidates(self, ground: Ground, *, limit: int | None = None, seed: int = 0) -> Iterator[Result]:
        """Candidates of a pristine tree, and what was answered but is none, with the reason.

        With `limit`, entities are asked about again and again (at temperature 0 once for each prompt) until there are
        that many or a whole turn over all of them gave none; without it, once for each prompt.

        Raises: InputError (a bad prompt or number), at once. From the generator: LMError, at once where no request will
        succeed (wrong key, no endpoint) or three failed in a row; BudgetExhausted, after all that was finished has
        been given.
        """
        return self._made(ground, self.check(), limit, seed)

    def check(self) -> list[EntityPrompt]:
        """The prompts, in turn. Raises: InputError (a bad prompt or number)."""
        least = {"rounds": self.rounds, "concurrency": self.concurrency}
        for name, value in least.items():
            if value < 1:
                raise InputError(f"{self.name}: `{name}` must be 1 or more, not {value}")
        if not self.variants:
            raise InputError(f"{self.name}: no prompt was chosen")
        names = dict.fromkeys(self.variants)
        return [load(each, self.prompts, temperature=self.temperature) for each in names]

    def _made(self, ground: Ground, prompts: list[EntityPrompt], limit: int | None, seed: int) -> Iterator[Result]:
        drawing = Drawing(ground, prompts, self.limits, seed)
        manner = Manner(self.name, self.blanked, self.limits, self.judge)
        conversation = Conversation(self.lm, ground, manner, seed)
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix=self.name)
        run = _Run(conversation, pool, self, limit)
        try:
            number, before = 0, -1
            while run.kept > before and not run.over:
                before = run.kept
                yield from run.turn(drawing.turn(number, again=limit is not None))
                number += 1
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Run:
    """One run: what is in flight, what there is already."""

    def __init__(self, conversation: Conversation, pool: ThreadPoolExecutor, asking: Asking, limit: int | None) -> None:
        self.conversation = conversation
        self.pool = pool
        self.asking = asking
        self.limit = limit
        self.kept = 0
        self.calls = 0
        self.failures = 0
        self.seen: set[str] = set()
        self.waiting: deque[tuple[Future[Outcome], int]] = deque()

    @property
    def over(self) -> bool:
        """There is enough, or no request is left."""
        most = self.asking.most_calls
        return (self.limit is not None and self.kept >= self.limit) or (most is not None and self.calls >= most)

    def turn(self, targets: Iterator[Target]) -> Iterator[Result]:
        """Results of one turn, in order. Raises: LMError."""
        seen = frozenset(self.seen)
        ended: BudgetExhausted | None = None
        while True:
            while ended is None and (rounds := self._rounds()) and (target := next(targets, None)) is not None:
                self.waiting.append((self.pool.submit(self.conversation.hold, target, rounds, seen), rounds))
            if not self.waiting:
                break
            outcome = self.waiting.popleft()[0].result()
            self.calls += outcome.calls
            self._check(outcome)
            if isinstance(outcome.error, BudgetExhausted):
                ended = ended or outcome.error
            if outcome.result is not None:
                yield self._counted(outcome.result)
        if ended is not None:
            raise ended

    def _rounds(self) -> int:
        """Of a conversation that may begin now; 0: none may. One that would not begin if all before it had ended with a
        candidate, or used all of their rounds, waits for them."""
        most, rounds = self.asking.most_calls, self.asking.rounds
        if len(self.waiting) >= self.asking.concurrency:
            return 0
        if self.limit is not None and self.kept + len(self.waiting) >= self.limit:
            return 0
        if most is None:
            return rounds
        left = most - self.calls - sum(reserved for _, reserved in self.waiting)
        return rounds if left >= rounds else 0 if self.waiting else max(0, left)

    def _check(self, outcome: Outcome) -> None:
        """Raises: LMError (of no use to go on)."""
        error = outcome.error
        if error is None or isinstance(error, BudgetExhausted):
            self.failures = 0
            return
        self.failures += 1
        if error.lasting or self.failures >= MOST_FAILURES:
            raise error

    def _counted(self, result: Result) -> Result:
        """Of two entities one of which lies in the other, both may get the same bug."""
        if isinstance(result, BugCandidate):
            if result.candidate_id in self.seen:
                return RejectedCandidate(result, "duplicate", "another entity around it was changed alike")
            self.seen.add(result.candidate_id)
            self.kept += 1
        return result
