"""One entity and one model: a question, an answer, and further turns where the answer was no use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from swesmith_gym import visible
from swesmith_gym.bugs.base import Ground, Judge, Result
from swesmith_gym.bugs.drawing import Limits, Target
from swesmith_gym.bugs.replies import Read, read, said
from swesmith_gym.bugs.templates import REASON
from swesmith_gym.errors import BudgetExhausted, ContextExceeded, LMError
from swesmith_gym.lm.base import LM, Completion, Message, Request
from swesmith_gym.lm.prompts import filled
from swesmith_gym.records import BugCandidate, RejectedCandidate, content_id, summed

LEAST_TOKENS = 512
"""That an answer may have, however short its entity is (if the limit is not lower still)."""
TOKENS_PER_CHAR = 0.5
"""Of an answer, in characters of its entity: code has about 0.3, and an answer is longer than its entity."""
MOST_CHARS_PER_TOKEN = 5
"""Of code: an entity that is longer than what these make of the limit cannot be written anew within it."""
MOST_REPEATED = 20_000
"""Characters of an answer that the model is shown again in a further turn."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a strategy asks."""

    strategy: str
    blanked: bool
    """The model does not see the entity's body, and has to keep its signature."""
    limits: Limits
    judge: Judge | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one conversation."""

    result: Result | None
    """None: it ended before anything was answered."""
    calls: int
    """Requests that were made, those that were too long aside."""
    error: LMError | None = None
    """It ended the conversation."""


@dataclass(slots=True)
class _Talk:
    """What has been said so far about one entity."""

    target: Target
    rounds: int
    turns: list[Message] = field(default_factory=list)
    cost_usd: float | None = 0.0
    answers: int = 0
    result: Result | None = None

    def hear(self, completion: Completion) -> None:
        self.answers += 1
        self.cost_usd = summed((self.cost_usd, completion.cost_usd))


class Conversation:
    """Asks one model about entities of one tree. Thread-safe as far as the model and the judge are."""

    def __init__(self, lm: LM, ground: Ground, manner: Manner, seed: int) -> None:
        self.lm = lm
        self.ground = ground
        self.manner = manner
        self.seed = seed

    def hold(self, target: Target, rounds: int, seen: frozenset[str]) -> Outcome:
        """At most `rounds` answers, the last of which counts. `seen`: ids of candidates that there are already."""
        talk = _Talk(target, rounds)
        wrong = " "
        while wrong and talk.answers < rounds:
            try:
                completion = self._asked(talk)
            except BudgetExhausted as error:
                return Outcome(talk.result, talk.answers, error)
            except LMError as error:
                failed = self._rejected(talk, "lm_error", visible.line(str(error), 300))
                return Outcome(talk.result or failed, talk.answers + 1, error)
            if completion is None:
                return Outcome(talk.result or self._rejected(talk, "too_large", self._too_large()), talk.answers)
            talk.hear(completion)
            talk.result, wrong = self._judged(talk, completion, seen)
            self._say(talk, completion.text, wrong)
        return Outcome(talk.result, talk.answers)

    def _asked(self, talk: _Talk) -> Completion | None:
        """With as much of the file as fits; None: nothing does. Raises: LMError."""
        for request in self._requests(talk):
            try:
                return self.lm.complete(request)
            except ContextExceeded:
                continue
        return None

    def _requests(self, talk: _Talk) -> Iterator[Request]:
        """The longest first."""
        limits, target = self.manner.limits, talk.target
        source, entity = self.ground.sources[target.entity.path], target.entity
        language = self.ground.language
        whole = language.entity_text(source, entity)
        if len(whole) > limits.most_tokens * MOST_CHARS_PER_TOKEN:
            return
        blanked = self.manner.blanked
        contexts = language.contexts(source, entity, blanked=blanked) if target.prompt.wants_context else ("",)
        tokens = min(limits.most_tokens, max(LEAST_TOKENS, int(len(whole) * TOKENS_PER_CHAR)))
        for context in contexts:
            values = {**self._values(target), "context": context.rstrip("\n")}
            messages = (*target.prompt.messages(**values), *talk.turns)
            if sum(len(each["content"]) for each in messages) <= limits.most_chars:
                yield Request(messages, target.prompt.temperature, tokens, target.sample)

    def _values(self, target: Target) -> dict[str, str]:
        entity, language = target.entity, self.ground.language
        code = language.entity_text(self.ground.sources[entity.path], entity, blanked=self.manner.blanked)
        return {
            "code": code.rstrip("\n"),
            "kind": entity.kind,
            "language": language.name,
            "name": entity.name,
            "path": entity.path,
        }

    def _judged(self, talk: _Talk, completion: Completion, seen: frozenset[str]) -> tuple[Result, str]:
        """What an answer comes to, and what is wrong with it, in words for the model; empty where nothing is."""
        entity = talk.target.entity
        source = self.ground.sources[entity.path]
        cut = completion.finish_reason == "length"
        found = read(completion.text, self.ground.language, source, entity, same_call=self.manner.blanked, cut=cut)
        if found.reason:
            return self._rejected(talk, found.reason, found.detail, found), said(found.reason, found.detail)
        candidate = self._candidate(talk, found)
        if candidate.candidate_id in seen:
            return self._rejected(talk, "duplicate", "", found), said("duplicate", "")
        judge = self.manner.judge
        # Nobody would hear what is said of the last answer.
        wrong = judge(candidate) if judge and talk.answers < talk.rounds else ""
        return candidate, visible.line(wrong, 300)

    def _say(self, talk: _Talk, text: str, wrong: str) -> None:
        values = {**self._values(talk.target), REASON: wrong}
        shown = text[:MOST_REPEATED].encode("utf-8", "replace").decode()
        talk.turns.append({"role": "assistant", "content": shown})
        talk.turns.append({"role": "user", "content": filled(talk.target.prompt.again, **values)})

    def _rejected(self, talk: _Talk, reason: str, detail: str, found: Read = Read()) -> RejectedCandidate:  # noqa: B008
        entity = talk.target.entity
        where = f"{entity.path}: {entity.name}" + (f": {detail}" if detail else "")
        rounds = f" (answer {talk.answers} of {talk.rounds} at most)" if talk.rounds > 1 and talk.answers else ""
        return RejectedCandidate(self._candidate(talk, found), reason, where + rounds)

    def _candidate(self, talk: _Talk, found: Read) -> BugCandidate:
        """Without any patch where there is no text: its id is then that of the question."""
        target, strategy = talk.target, self.manner.strategy
        after = {target.entity.path: found.source.encode()} if found.source else {}
        asked = (self.ground.repo, strategy, target.prompt.name, target.entity, target.sample)
        return self.ground.candidate(
            after,
            strategy,
            operator=target.prompt.name,
            explanation=found.explanation,
            seed=self.seed,
            cost_usd=talk.cost_usd,
            candidate_id="" if after else content_id(*asked)[:16],
            model=self.lm.model,
        )

    def _too_large(self) -> str:
        most = self.manner.limits
        return f"more than the model reads, than {most.most_chars} characters or than {most.most_tokens} tokens"
