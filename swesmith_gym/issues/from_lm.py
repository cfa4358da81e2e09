"""Issues that a model writes from the bug, one of the tests that it breaks, and what that test printed.

What it answers is checked, and its reproduction is run with the bug and without. It gets one more try, in which it is
told what was wrong; then there is no statement of this kind.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from swesmith_gym.errors import ContextExceeded, InputError, LMError
from swesmith_gym.issues import answers, facts, telling
from swesmith_gym.issues.answers import Answer
from swesmith_gym.issues.faults import WORDS, Fault
from swesmith_gym.issues.leaks import without_leaks
from swesmith_gym.issues.materials import Author, Draft, Materials
from swesmith_gym.issues.text import cleaned, shortened
from swesmith_gym.lm import prompts
from swesmith_gym.lm.base import Completion, Message, Request
from swesmith_gym.lm.prompts import Prompt
from swesmith_gym.records import TaskInstance, summed

PROMPT = "issue"
OURS = Path(__file__).parent / "prompts"
PLACEHOLDERS = ("repo", "language", "diff", "test", "output")
TURNS = 2
TEMPERATURE = 0.7
"""Reports are to differ in wording; the seed asks for another one."""
MAX_TOKENS = 2048
DIFF_CHARS = 6000
TEST_CHARS = 4000
OUTPUT_CHARS = 3000


def prompt(users: Path | None = None) -> Prompt:
    """Our prompt, or the one of a user's folder. Raises: InputError."""
    return Prompt(**prompts.read(PROMPT, OURS, users, prompts.system_and_user(*PLACEHOLDERS)))


def write(task: TaskInstance, materials: Materials) -> Draft:
    """A statement, or the reason why there is none.

    Raises: InputError (no model), LMError (one that is `lasting`).
    """
    author = materials.author
    if author is None:
        raise InputError("issue mode 'lm' needs a language model")
    values = _values(task, materials)
    talk: tuple[Message, ...] = author.prompt.messages(**values)
    cost: float | None = 0.0
    reason = ""
    for _ in range(TURNS):
        try:
            completion = author.lm.complete(Request(talk, TEMPERATURE, MAX_TOKENS, sample=materials.seed))
        except LMError as error:
            if error.lasting:
                raise
            exceeded = isinstance(error, ContextExceeded)
            return Draft(missing=(reason or "context_exceeded") if exceeded else "lm_error", cost_usd=cost)
        cost = _sum(cost, completion)
        found = _judged(completion, task, materials, author, f"{values['test']}\n{values['output']}")
        if isinstance(found, Answer):
            return Draft(found.text, cost_usd=cost)
        reason = found.reason
        if reason not in WORDS:
            break
        said = shortened(completion.text, answers.MAX_CHARS)
        talk += ({"role": "assistant", "content": said}, {"role": "user", "content": found.words()})
    return Draft(missing=reason, cost_usd=cost)


def _values(task: TaskInstance, materials: Materials) -> dict[str, str]:
    """What fills the prompt, as long as a model of our time reads it without haste."""
    language = materials.language
    test_id = language.failure_summary(task.failure_excerpt).test_id
    if test_id not in task.FAIL_TO_PASS:
        test_id = random.Random(f"{materials.seed}:lm:{task.instance_id}").choice(sorted(task.FAIL_TO_PASS))
    output = without_leaks("\n".join(_unnamed(task)), task.gold_patch)
    return {
        "repo": task.repo,
        "language": language.name,
        "diff": shortened(cleaned(task.bug_patch), DIFF_CHARS).strip(),
        "test": shortened(cleaned(language.test_source(materials.files, test_id)), TEST_CHARS).strip(),
        "output": facts.scrubbed(shortened(cleaned(output), OUTPUT_CHARS)).strip(),
    }


def _unnamed(task: TaskInstance) -> Iterator[str]:
    """The output less the lines that only say which test it is of."""
    for line in task.failure_excerpt.splitlines():
        if line.removeprefix("test: ") not in task.FAIL_TO_PASS:
            yield line


def _judged(
    completion: Completion, task: TaskInstance, materials: Materials, author: Author, shown: str
) -> Answer | Fault:
    language = materials.language
    marks = {language.name, *language.fence_names}
    answer = answers.read(completion.text, cut_off=completion.finish_reason == "length", languages=marks)
    if isinstance(answer, Fault):
        return answer
    told = telling.fault(answer.text, task, language, shown)
    if told:
        return told
    if not answer.code:
        return Fault("no_reproduction")
    trial = author.trial(task, answer.code)
    return Fault(trial.fault, trial.said) if trial.fault else answer


def _sum(cost: float | None, completion: Completion) -> float | None:
    return cost if completion.cached else summed((cost, completion.cost_usd))
