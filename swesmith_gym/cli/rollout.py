"""`swesmith-gym rollout`: agents play tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, TrustOption, WorkersOption
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what is in --out, and play the rest and what broke off.")
    ] = False,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let an agent play every task of a table, and keep the trajectories. Exit code 1 if any episode broke off.

    Example: `swesmith-gym rollout --tasks tasks.parquet --agent gold --out rollouts/gold`
    """
    del trust  # its callback has told the environment
    from swesmith_gym import sandboxes
    from swesmith_gym.agents import factory
    from swesmith_gym.tasks import TaskTable
    from swesmith_gym.trajectories import RolloutSettings, TrajectoryStore
    from swesmith_gym.trajectories import rollout as run
    from swesmith_gym.trajectories.rollout import counts, played_out

    make_agent = factory(agent)
    table = TaskTable.read(tasks)
    chosen = TaskTable(table[:limit], table.name) if limit else table
    store = TrajectoryStore(common.out_folder(out))
    kept = {(t.instance_id, t.seed): t for t in store if t.agent == agent and t.instance_id in chosen.places}
    if kept and not resume:
        raise InputError(
            f"{store.path} holds {len(kept)} trajectories of this agent: add --resume, or choose another --out"
        )
    env = {"sandbox": sandboxes.backend(sandbox).name, "max_steps": max_steps, "max_seconds": max_seconds}
    store.bind(agent, env, fresh=not kept)
    done = {key: t for key, t in kept.items() if played_out(t)}
    settings = RolloutSettings(agent, episodes, seed, env)
    pool = common.executor(workers, sandbox)
    with common.progress_bar("rollout") as bar:
        for trajectory in run(chosen, make_agent, pool, settings, done=set(done)):
            store.append(trajectory)
            done[trajectory.instance_id, trajectory.seed] = trajectory
            bar(len(done), len(chosen) * episodes, f"{sum(t.resolved for t in done.values())} resolved")
    found = counts(list((kept | done).values()))
    if as_json:
        common.print_json(found | {"out": str(store.path)})
    else:
        broken = "".join(f", {found[kind]} {kind}" for kind in ("agent_error", "fault") if found[kind])
        common.say(f"{found['resolved']} of {found['total']} episodes resolved{broken} ({store.path})")
        for trajectory in (t for t in done.values() if not played_out(t)):
            why = trajectory.info.get("fault") or trajectory.info["agent_error"]
            common.say(f"  {trajectory.instance_id} (seed {trajectory.seed}): {why}")
    if found["fault"] or found["agent_error"]:
        raise typer.Exit(1)
