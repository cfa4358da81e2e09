"""`swesmith-gym tasks redteam` and `redteam-table`: play attacks on the reward, and show what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, TrustOption, WorkersOption
from swesmith_gym.cli.tasks import SampleOption, SeedOption, TableArgument, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swesmith_gym.redteam.run import Row


def redteam(
    tasks: TableArgument,
    attack: Annotated[
        list[str] | None, typer.Option("--attack", help="An attack's id, or a group (P, V, B, L, H, M); repeatable.")
    ] = None,
    sample_attacks: Annotated[
        int | None,
        typer.Option("--sample-attacks", min=1, help="Only this many attacks, of all groups, drawn by the seed."),
    ] = None,
    sample: SampleOption = None,
    seed: SeedOption = 0,
    tasks_per_repo: Annotated[
        int | None, typer.Option("--tasks-per-repo", min=1, help="At most this many tasks of each repository.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the evidence here (JSON); runs are kept.")] = None,
    known_limits: Annotated[
        bool, typer.Option("--allow-known-limits", help="What succeeds by a documented limit changes no exit code.")
    ] = False,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Play attacks on the reward through the environment: each must end as a valid 0. Exit code 1 if one does not.

    Example: `swesmith-gym tasks redteam tasks.parquet --tasks-per-repo 1 --attack P --out redteam.json`
    """
    del trust  # its callback has told the environment
    from swesmith_gym.redteam import evidence, registry, report
    from swesmith_gym.redteam import run as play
    from swesmith_gym.tasks import TaskTable

    attacks = registry.draw(registry.select(attack or []), sample_attacks, seed)
    chosen = play.choose(drawn(TaskTable.read(tasks), sample, seed), tasks_per_repo)
    kept = out.with_suffix(".jsonl") if out else None
    rows = []
    with common.progress_bar("redteam") as bar:
        pool = common.executor(workers, sandbox)
        for row in play.run(attacks, chosen, pool, sandbox=sandbox, kept=kept):
            rows.append(row)
            bar(len(rows), len(attacks) * len(chosen))
    found = report.evidence(rows)
    if out:
        evidence.write(out, rows)
    if as_json:
        common.print_json(found)
    else:
        _say(found, rows)
    if found["succeeded"] > (found["of_these_known_limits"] if known_limits else 0):
        raise typer.Exit(1)


def redteam_table(
    evidence: Annotated[list[Path], typer.Argument(help="What `tasks redteam --out` wrote; several files.")],
    into: Annotated[
        Path, typer.Option("--into", help="File with the marks of the table; a new one holds nothing else.")
    ],
) -> None:
    """Write the Markdown table of all attacks in these files: who would have paid, and what was paid here.

    Example: `swesmith-gym tasks redteam-table campaigns/redteam-*.json --into docs/security.md`
    """
    from swesmith_gym.redteam import evidence as files
    from swesmith_gym.redteam import registry, report

    report.write_table(into, files.read(evidence), {each.id: each.unfooled for each in registry.ATTACKS})


def _say(found: dict[str, Any], rows: Sequence[Row]) -> None:
    common.say(f"{found['attacks']} attacks on {found['tasks']} tasks: {found['held']} of {found['runs']} runs held")
    for row in rows:
        if row.succeeded:
            common.say(f"  {row.attack} {row.instance_id}: {row.succeeded}{' (known limit)' if row.limit else ''}")
