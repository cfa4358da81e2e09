"""`swesmith-gym rollout`: agents play tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, WorkersOption
from swesmith_gym.errors import InputError


def rollout(
    tasks: Annotated[Path, typer.Option("--tasks", help="A task table.")],
    agent: Annotated[str, typer.Option("--agent", help="gold, nop, random, or MODULE:CLASS.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for trajectories.jsonl.")],
    episodes: Annotated[int, typer.Option("--n", min=1, help="Episodes for each task.")] = 1,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many tasks.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the first episode; the others count on.")] = 0,
    max_steps: Annotated[int, typer.Option("--max-steps", min=1)] = 50,
    max_seconds: Annotated[float, typer.Option("--max-seconds", min=1)] = 600.0,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is in --out, and play the rest.")] = False,
    sandbox: SandboxOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Let an agent play every task of a table, and keep the trajectories.

    Example: `swesmith-gym rollout --tasks tasks.parquet --agent gold --out rollouts/gold`
    """
    from swesmith_gym.agents import factory
    from swesmith_gym.tasks import TaskTable
    from swesmith_gym.trajectories import RolloutSettings, TrajectoryStore
    from swesmith_gym.trajectories import rollout as run
    from swesmith_gym.trajectories.rollout import counts

    make_agent = factory(agent)
    table = TaskTable.read(tasks)
    chosen = TaskTable(table[:limit], table.name) if limit else table
    store = TrajectoryStore(common.out_folder(out))
    kept = [t for t in store if t.agent == agent and t.instance_id in chosen.places] if store.path.exists() else []
    if kept and not resume:
        raise InputError(
            f"{store.path} holds {len(kept)} trajectories of this agent: add --resume, or choose another --out"
        )
    env = {"sandbox": sandbox, "max_steps": max_steps, "max_seconds": max_seconds}
    settings = RolloutSettings(agent, episodes, seed, env)
    pool = common.executor(workers)
    with common.progress_bar("rollout") as bar:
        for trajectory in run(chosen, make_agent, pool, settings, done={(t.instance_id, t.seed) for t in kept}):
            store.append(trajectory)
            kept.append(trajectory)
            bar(len(kept), len(chosen) * episodes, f"{sum(t.resolved for t in kept)} resolved")
    found = counts(kept)
    if as_json:
        common.print_json(found | {"out": str(store.path)})
    else:
        common.say(f"{found['resolved']} of {found['total']} episodes resolved ({store.path})")
    if found["fault"]:
        raise typer.Exit(1)
