"""Writes the report: `index.html`, a page for each task and a page for each episode.

All that repositories, models and agents wrote is untrusted. Templates escape every value; a content security policy
allows only the style and the script of this package, by their hashes, and no connection of any kind; there are no
inline handlers; escape sequences are removed; control and reordering characters are replaced by visible signs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swesmith_gym.home import write_atomic
from swesmith_gym.pipeline.provenance import Dropped
from swesmith_gym.records import TaskInstance, Trajectory, Verdict
from swesmith_gym.viewer import statistics
from swesmith_gym.viewer.diffs import edited_lines
from swesmith_gym.viewer.listing import Column, Listing
from swesmith_gym.viewer.outcomes import outcome, verdict_of
from swesmith_gym.viewer.templating import environment

if TYPE_CHECKING:
    from jinja2 import Environment

_GENERATOR = '<meta name="generator" content="swesmith-gym">'
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,149}")


@dataclass(frozen=True, slots=True)
class _Task:
    record: TaskInstance
    file: str
    episodes: list[_Episode] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Episode:
    record: Trajectory
    file: str
    task: _Task | None


def render(
    tasks: Sequence[TaskInstance],
    trajectories: Sequence[Trajectory],
    verdicts: Sequence[Verdict] | None,
    out: Path,
    *,
    title: str,
    dropped: Sequence[Dropped] | None = None,
) -> Path:
    """Write the report below `out` (made if need be; an earlier report is replaced) and return its `index.html`.

    Trajectories and verdicts may be of tasks that are not given. `dropped`: the candidates that became no task; with
    them the tables show candidates and yields. Equal input gives equal bytes. Raises: OSError.
    """
    pages, episodes = _link(tasks, trajectories, verdicts or ())
    templates = environment()
    _make_room(out)
    _write_tasks(templates, pages, out / "tasks", title)
    _write_episodes(templates, episodes, out / "trajectories", title)
    index = out / "index.html"
    write_atomic(
        index,
        templates.get_template("index.html.j2").render(
            title=title,
            root="",
            numbers=_numbers(tasks, trajectories, verdicts),
            strategies=statistics.by_strategy(tasks, dropped),
            operators=statistics.by_operator(tasks, dropped),
            agents=statistics.by_agent(trajectories),
            tasks=_task_list(pages),
            episodes=_episode_list(episodes),
        ),
    )
    return index


def _make_room(out: Path) -> None:
    """Make the folders; take the pages of an earlier report away, and nothing that is not one's."""
    index = out / "index.html"
    ours = index.is_file() and _GENERATOR in index.read_text("utf-8", errors="replace")
    for folder in (out / "tasks", out / "trajectories"):
        folder.mkdir(parents=True, exist_ok=True)
        for page in folder.glob("*.html") if ours else ():
            page.unlink()


def _link(
    tasks: Sequence[TaskInstance], trajectories: Sequence[Trajectory], verdicts: Sequence[Verdict]
) -> tuple[list[_Task], list[_Episode]]:
    """Give each record its file, and tasks and episodes each other."""
    taken: set[str] = set()
    pages = [_Task(task, _file(task.instance_id, taken)) for task in tasks]
    by_id = {page.record.instance_id: page for page in pages}
    taken = set()
    episodes = []
    for trajectory in trajectories:
        task = by_id.get(trajectory.instance_id)
        episode = _Episode(trajectory, _file(trajectory.trajectory_id, taken), task)
        episodes.append(episode)
        if task:
            task.episodes.append(episode)
    found = defaultdict(list)
    for verdict in verdicts:
        found[verdict.instance_id].append(verdict)
    for page in pages:
        page.verdicts.extend(found[page.record.instance_id])
    return pages, episodes


def _file(identifier: str, taken: set[str]) -> str:
    """A file name that says the id where that is harmless, and is no other's, upper and lower case being equal."""
    safe = _SAFE_NAME.fullmatch(identifier)
    stem = identifier if safe else sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:20]
    name, count = stem, 1
    while name.lower() in taken:
        count += 1
        name = f"{stem}-{count}"
    taken.add(name.lower())
    return f"{name}.html"


def _write_tasks(templates: Environment, pages: Sequence[_Task], folder: Path, title: str) -> None:
    template = templates.get_template("task.html.j2")
    for index, page in enumerate(pages):
        before = pages[index - 1] if index else None
        after = pages[index + 1] if index + 1 < len(pages) else None
        text = template.render(title=title, root="../", page=page, task=page.record, before=before, after=after)
        (folder / page.file).write_text(text, encoding="utf-8")


def _write_episodes(templates: Environment, episodes: Sequence[_Episode], folder: Path, title: str) -> None:
    template = templates.get_template("trajectory.html.j2")
    for page in episodes:
        verdict = verdict_of(page.record)
        text = template.render(title=title, root="../", page=page, run=page.record, verdict=verdict)
        (folder / page.file).write_text(text, encoding="utf-8")


def _numbers(
    tasks: Sequence[TaskInstance], trajectories: Sequence[Trajectory], verdicts: Sequence[Verdict] | None
) -> Mapping[str, str]:
    """Label -> figure, for the top of the report."""
    numbers = {
        "tasks": f"{len(tasks):,}",
        "repositories": f"{len({task.repo for task in tasks}):,}",
        "operators": f"{len({task.operator for task in tasks if task.operator}):,}",
        "episodes": f"{len(trajectories):,}",
    }
    if verdicts is not None:
        numbers["gradings resolved"] = f"{sum(verdict.resolved for verdict in verdicts):,} / {len(verdicts):,}"
    ends = [*map(outcome, trajectories), *map(outcome, verdicts or ())]
    return {**numbers, "faults": f"{ends.count('fault'):,}"}


def _task_list(pages: Sequence[_Task]) -> Listing:
    columns = (
        Column("Task", "link"),
        Column("Repository", "text", minor=True),
        Column("Strategy", "text", minor=True),
        Column("Operator", "text"),
        Column("F2P", "number"),
        Column("P2P", "number", minor=True),
        Column("Edited lines", "number", minor=True),
    )
    return Listing("tasks", "tasks", "tasks/", columns, [_task_row(page) for page in pages])


def _task_row(page: _Task) -> list[Any]:
    task = page.record
    counts = [len(task.FAIL_TO_PASS), len(task.PASS_TO_PASS), edited_lines(task.bug_patch)]
    return [(task.instance_id, page.file), task.repo, task.strategy, task.operator or "–", *counts]


def _episode_list(episodes: Sequence[_Episode]) -> Listing:
    columns = (
        Column("Episode", "link"),
        Column("Agent", "text"),
        Column("Task", "id", minor=True),
        Column("Outcome", "badge"),
        Column("Reward", "number", minor=True),
        Column("Steps", "number", minor=True),
    )
    return Listing("episodes", "episodes", "trajectories/", columns, [_episode_row(page) for page in episodes])


def _episode_row(page: _Episode) -> list[Any]:
    run = page.record
    reward = round(run.reward, 3) if run.reward_valid else None
    return [
        (run.trajectory_id, page.file),
        run.agent,
        run.instance_id,
        outcome(run),
        reward,
        len(run.steps),
    ]
