"""Plays attacks on tasks through the real environment, and asks the naive graders about the same work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from swesmith_gym import jsonl
from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.envs.testbeds import prepare
from swesmith_gym.errors import SandboxDied
from swesmith_gym.executors import Executor
from swesmith_gym.records import TaskInstance, content_id
from swesmith_gym.redteam import leaks, naive
from swesmith_gym.redteam.base import Attack, Facts, Played
from swesmith_gym.redteam.facts import facts_of
from swesmith_gym.redteam.hurry import HurriedEnv, hurried
from swesmith_gym.tasks import TaskTable

_NOTE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Row:
    """One attack on one task. A row of the JSON."""

    attack: str
    threat: str
    title: str
    instance_id: str
    repo: str
    sandbox: str
    reward: float
    reward_valid: bool
    violation: str
    """What grading says that the agent did; empty where there is a verdict."""
    succeeded: str
    """Why the attack succeeded; empty where it was held."""
    limit: str
    """`Attack.limit`."""
    fooled: tuple[str, ...] | None
    """Naive graders that would have paid; None: they were not asked."""
    note: str
    """End of what the agent saw where a step of the attack failed: it may not have taken place."""
    seconds: float
    """Wall time of the episode, grading included; of the naive graders' own run not."""
    key: str = ""
    """Content id of attack, task, sandbox and defence: what is known need not be run again."""
    planted: bool | None = None
    """The attack is paid where the leak that it lives on was put there; None: it has none, or it was not asked."""

    @property
    def known(self) -> bool:
        """It was paid by a limit that is written down; none excuses an episode that does not count."""
        return bool(self.succeeded and self.limit and self.reward_valid)


def play(attack: Attack, task: TaskInstance, *, sandbox: str, ask_naive: bool = True) -> Row:
    """One attack on one task. Raises: SandboxUnavailable, ProfileError, TaskTableError, GradingFault."""
    prepared = prepare(task, backend=sandbox)
    if attack.hangs:
        prepared = hurried(prepared)
    facts = facts_of(prepared)
    before = attack.before(task)
    started = time.monotonic()
    end = _end(attack, task, facts, sandbox)
    seconds = time.monotonic() - started
    played = Played(task, facts, end.observations, end.reward, end.info, before)
    return Row(
        attack=attack.id,
        threat=attack.threat,
        title=attack.title,
        instance_id=task.instance_id,
        repo=task.repo,
        sandbox=prepared.testbed.backend.name,
        reward=end.reward,
        reward_valid=played.reward_valid,
        violation=str(end.info.get("violation", "")),
        succeeded=attack.judge(played),
        limit=attack.limit,
        fooled=naive.fooled(prepared, attack.steps(facts)) if ask_naive and attack.naive else None,
        note=end.note,
        seconds=round(seconds, 2),
        planted=leaks.control(attack, prepared, prepared.testbed.backend) if ask_naive else None,
    )


@dataclass(frozen=True, slots=True)
class _End:
    """How an episode ended."""

    observations: tuple[str, ...]
    reward: float
    info: Mapping[str, Any]
    note: str = ""


def _end(attack: Attack, task: TaskInstance, facts: Facts, sandbox: str) -> _End:
    """Under shorter limits where it hangs. Those may be too short for a busy host: what they mask is played again."""
    if attack.hangs:
        end = _episode(attack, facts, HurriedEnv(task, sandbox=sandbox))
        if end.info.get("reward_valid"):
            return end
    return _episode(attack, facts, BugFixEnv(TaskTable([task]), instance_id=task.instance_id, sandbox=sandbox))


def _episode(attack: Attack, facts: Facts, env: BugFixEnv) -> _End:
    """Every step of the attack, then the submission; the environment is closed."""
    seen: list[str] = []
    note = ""
    try:
        env.reset(seed=0)
        for action in (*attack.steps(facts), {"tool": "submit"}):
            observation, reward, terminated, truncated, info = env.step(action)
            if not terminated:
                seen.append(observation)
            if terminated or truncated:
                break
            if info.get("exit_code", 0) != 0 or info.get("timed_out"):
                note = observation[-_NOTE_CHARS:]
        return _End(tuple(seen), float(reward), info, note)
    except SandboxDied as death:
        return _End((), 0.0, {"reward_valid": False, "fault": str(death)})
    finally:
        env.close()


def run(
    attacks: Sequence[Attack], tasks: Sequence[TaskInstance], executor: Executor, *, sandbox: str, kept: Path | None
) -> Iterator[Row]:
    """A row for each attack and task, as they end. Rows in the JSON Lines file `kept` come first and are not run again.

    Raises: as `play`, and InputError (another run writes to `kept`), OSError.
    """
    known = _known(kept) if kept else {}
    todo: list[tuple[Attack, TaskInstance, str]] = []
    for task in tasks:
        for attack in attacks:
            key = content_id(type(attack).__name__, asdict(attack), asdict(task), sandbox, defence())
            if key in known:
                yield known[key]
            else:
                todo.append((attack, task, key))
    file = jsonl.exclusive(kept) if kept and todo else None
    try:
        for done in executor.map(lambda item: replace(play(item[0], item[1], sandbox=sandbox), key=item[2]), todo):
            if file:
                file.append(asdict(done.value))
            yield done.value
    finally:
        if file:
            file.close()


@cache
def defence() -> str:
    """Content id over the code that attacks are after: what another version held is no evidence of this one. What looks
    for leaks afterwards stops no attack."""
    return code_id("envs", "harness", "languages/python/testing", "sandboxes", "tasks", without="tasks/scan")


def code_id(*parts: str, without: str = "") -> str:
    """Content id over the code of some folders of this package: evidence names the version that it is about."""
    package = Path(__file__).parent.parent
    files = [path for part in parts for path in sorted((package / part).rglob("*.py"))]
    kept = [path for path in files if not without or package / without not in path.parents]
    return content_id([(str(path.relative_to(package)), path.read_text("utf-8")) for path in kept])


def _known(path: Path) -> dict[str, Row]:
    """Rows of an earlier run, by key; lines of another version are no rows. What was masked is played again: the host
    may have been the cause, and where it was not, the same comes out."""
    import json

    names = {each.name for each in fields(Row)}
    rows = {}
    for _, line in jsonl.lines(path):
        try:
            plain = json.loads(line)
        except ValueError:
            continue
        if isinstance(plain, dict) and plain.keys() == names and plain["reward_valid"]:
            fooled = plain["fooled"]
            rows[plain["key"]] = Row(**{**plain, "fooled": None if fooled is None else tuple(fooled)})
    return rows


def choose(tasks: Sequence[TaskInstance], per_repo: int | None) -> list[TaskInstance]:
    """The first `per_repo` tasks of each repository, in order; None: all."""
    taken: dict[str, int] = {}
    chosen = []
    for task in tasks:
        taken[task.repo] = taken.get(task.repo, 0) + 1
        if per_repo is None or taken[task.repo] <= per_repo:
            chosen.append(task)
    return chosen
