"""`swesmith-gym tasks`: look at task tables, and verify them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, TrustOption, WorkersOption, group
from swesmith_gym.errors import InputError

app = group("Look at task tables, and verify them.")

if TYPE_CHECKING:
    from swesmith_gym.harness.grade import Grading
    from swesmith_gym.records import TaskInstance
    from swesmith_gym.tasks import TaskTable

TableArgument = Annotated[Path, typer.Argument(help="A task table (Parquet), or a folder of them.")]
SampleOption = Annotated[int | None, typer.Option("--sample", min=1, help="Only this many, drawn by the seed.")]
EvidenceOption = Annotated[Path | None, typer.Option("--out", help="Write the evidence here (JSON).")]
SeedOption = Annotated[int, typer.Option("--seed")]


@app.command("list")
def list_(tasks: TableArgument, as_json: JsonOption = False) -> None:
    """List the tasks of a table: id, repository, strategy, operator, how many FAIL_TO_PASS and PASS_TO_PASS tests.

    Example: `swesmith-gym tasks list tasks.parquet`
    """
    from swesmith_gym.tasks import TaskTable

    table = TaskTable.read(tasks)
    rows = [
        {
            "instance_id": t.instance_id,
            "repo": t.repo,
            "strategy": t.strategy,
            "operator": t.operator,
            "FAIL_TO_PASS": len(t.FAIL_TO_PASS),
            "PASS_TO_PASS": len(t.PASS_TO_PASS),
        }
        for t in table
    ]
    if as_json:
        common.print_json(rows)
        return
    for row in rows:
        typer.echo("\t".join(str(value) for value in row.values()))


def drawn(table: TaskTable, sample: int | None, seed: int) -> list[TaskInstance]:
    """`sample` tasks of the table, drawn by the seed; None: all, in order."""
    chosen = list(table)
    return chosen if sample is None else random.Random(seed).sample(chosen, min(sample, len(chosen)))


@app.command()
def show(
    tasks: TableArgument,
    instance_id: Annotated[str | None, typer.Argument(help="The task; the first one if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one task whole.

    Example: `swesmith-gym tasks show tasks.parquet sqlparse__0123456789ab`
    """
    from swesmith_gym.tasks import TaskTable

    table = TaskTable.read(tasks)
    if not len(table):
        raise InputError(f"{tasks}: the task table is empty")
    task = table.get(instance_id) if instance_id else table[0]
    if as_json:
        common.print_json(task)
        return
    typer.echo(f"{task.instance_id}  {task.repo_source}  {task.strategy}/{task.operator or '-'}\n")
    typer.echo(task.problem_statement)
    typer.echo(f"\n--- bug patch ---\n{task.bug_patch}")
    typer.echo(f"FAIL_TO_PASS ({len(task.FAIL_TO_PASS)}):")
    for test in task.FAIL_TO_PASS[:20]:
        typer.echo(f"  {test}")
    typer.echo(f"PASS_TO_PASS: {len(task.PASS_TO_PASS)}, lost: {len(task.lost)}")


@app.command()
def stats(
    tasks: TableArgument,
    rejected: Annotated[
        list[Path] | None,
        typer.Option("--rejected", help="Rejected candidates, for yields; repeatable. Default: NAME.provenance.json."),
    ] = None,
    operators: Annotated[bool, typer.Option("--operators", help="One row an operator instead of a strategy.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The strategy table, in the form of SWE-smith's, with its figures in brackets: instances, yield, cost, medians.

    Example: `swesmith-gym tasks stats tasks.parquet --rejected rejected.jsonl`
    """
    from swesmith_gym.pipeline import provenance
    from swesmith_gym.pipeline.candidates import read_rejected
    from swesmith_gym.tasks import TaskTable
    from swesmith_gym.viewer import published
    from swesmith_gym.viewer.statistics import by_operator, by_strategy

    given = provenance.grouped(row for path in rejected or () for row in read_rejected(path))
    dropped = given if rejected else provenance.dropped(tasks)
    count = by_operator if operators else by_strategy
    groups = count(list(TaskTable.read(tasks)), dropped)
    if as_json:
        common.print_json(published.rows(groups))
    elif operators:
        typer.echo(published.side_by_side(groups, "operator"))
    else:
        typer.echo(f"{published.side_by_side(groups)}\n{published.NOTE}")


@app.command()
def card(
    folder: Annotated[Path, typer.Argument(help="Folder of tables, as `swesmith-gym run` makes it.")],
    into: Annotated[Path, typer.Option("--into", help="File with the card's marks; a new one holds nothing else.")],
) -> None:
    """Write the measured part of a dataset card: packages, yields, evidence, and the time that making it took.

    Example: `swesmith-gym tasks card tasks --into tasks/README.md`
    """
    from swesmith_gym.viewer import card as cards

    cards.write(folder, into)
    common.say(f"the card of {folder} is in {into}")


@app.command("filter")
def filter_(
    tasks: TableArgument,
    out: Annotated[Path, typer.Option("--out", help="The table to write.")],
    where: Annotated[
        list[str] | None, typer.Option("--where", help="Condition on a measure, `depth>=2`; repeatable.")
    ] = None,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", help="Only tasks of this strategy; repeatable.")
    ] = None,
    usual: Annotated[
        bool, typer.Option("--usual/--no-usual", help="Also drop what nobody would train on: broken_share<=0.5.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Keep the tasks of the strategies that are named, or all, whose measures meet every condition. One that lacks a
    measure is kept.

    Measures: broken_share, edited_lines, edited_files, edited_hunks, depth, names_function, difficulty.

    Example: `swesmith-gym tasks filter tasks.parquet --out deep.parquet --where "depth>=2" --where "edited_lines<=20"`
    """
    from swesmith_gym.tasks import TaskTable, filtering

    conditions = [filtering.condition(text) for text in (*(filtering.USUAL if usual else ()), *(where or ()))]
    table = TaskTable.read(tasks)
    own = [task for task in table if not strategy or task.strategy in strategy]
    if table and not own:
        known = ", ".join(sorted({task.strategy for task in table}))
        raise InputError(f"{tasks}: no task of {' or '.join(strategy or ())}, only of {known}; nothing was written")
    found = filtering.choose(own, conditions)
    if not found.kept:
        raise InputError(f"{tasks}: no task meets all of {', '.join(map(str, conditions))}; nothing was written")
    TaskTable(found.kept).write(out)
    others = {"other strategies": len(table) - len(own)} if len(own) < len(table) else {}
    dropped = {**others, **found.dropped}
    counts = {"tasks": len(table), "kept": len(found.kept), "dropped": dropped, "unknown": found.unknown}
    if as_json:
        common.print_json({**counts, "out": str(out)})
        return
    common.say(f"kept {len(found.kept)} of {len(table)} tasks in {out}")
    for text, number in dropped.items():
        common.say(f"  {number} dropped by {text}")
    if found.unknown:
        common.say(f"  {found.unknown} kept that lack a measure: validate them again to have it")


@app.command()
def verify(
    tasks: TableArgument,
    rounds: Annotated[int, typer.Option("--rounds", "-k", min=1, help="How often each control is graded.")] = 1,
    sample: SampleOption = None,
    seed: SeedOption = 0,
    out: EvidenceOption = None,
    grading: Annotated[
        str,
        typer.Option("--grading", help="full, or impacted: test files that a patch cannot reach are left out."),
    ] = "full",
    warm: Annotated[
        bool, typer.Option("--warm", help="In forks of runners that stay: faster, and safe, since neither cheats.")
    ] = False,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Grade the gold patch and the empty one on every task: gold must score 1, nop 0. Exit code 1 if not.

    Example: `swesmith-gym tasks verify tasks.parquet --out tasks.verify.json`
    """
    del trust  # its callback has told the environment
    from swesmith_gym.evaluation.verify import evidence
    from swesmith_gym.evaluation.verify import verify as run
    from swesmith_gym.home import write_atomic
    from swesmith_gym.tasks import TaskTable

    table = TaskTable.read(tasks)
    chosen = drawn(table, sample, seed)
    how = cast("Grading", grading)
    checks = []
    with common.progress_bar("verify") as bar:
        pool = common.executor(workers, sandbox)
        for check in run(chosen, pool, rounds=rounds, sandbox=sandbox, grading=how, warm=warm):
            checks.append(check)
            bar(len(checks), 2 * rounds * len(chosen))
    found = evidence(table, checks, rounds, how, warm=warm)
    if out:
        write_atomic(out, json.dumps(found, indent=1) + "\n")
    if as_json:
        common.print_json(found)
    else:
        common.say(
            f"gold {found['gold_resolved']}/{found['gold_gradings']}, "
            f"nop {found['nop_resolved']}/{found['nop_gradings']}, {found['tasks_checked']} of {found['tasks']} tasks"
        )
        for problem in found["problems"]:
            common.say(f"  {problem['instance_id']} {problem['control']}: {problem['problem']}")
    if found["problems"]:
        raise typer.Exit(1)


@app.command()
def recheck(
    tasks: TableArgument,
    reruns: Annotated[int, typer.Option("--reruns", min=1, help="Runs of FAIL_TO_PASS, with the bug and without.")] = 3,
    sample: SampleOption = None,
    seed: SeedOption = 0,
    out: EvidenceOption = None,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Validate every bug anew: its tests must be those of the table, every time. Exit code 1 if any differ.

    Nothing is done where the file of `--out` says that of this very table already.

    Example: `swesmith-gym tasks recheck tasks.parquet --out tasks.recheck.json`
    """
    del trust  # its callback has told the environment
    from swesmith_gym import sandboxes
    from swesmith_gym.evaluation.recheck import done, evidence
    from swesmith_gym.evaluation.recheck import recheck as run
    from swesmith_gym.home import write_atomic
    from swesmith_gym.tasks import TaskTable

    table = TaskTable.read(tasks)
    if out and done(out, table, reruns):
        common.say(f"{out}: nothing is to be done, all {len(table)} tasks were found the same")
        return
    chosen = drawn(table, sample, seed)
    checked = []
    with common.progress_bar("recheck") as bar:
        pool = common.executor(workers, sandbox)
        for each in run(chosen, pool, sandboxes.backend(sandbox), bar, reruns=reruns):
            checked.append(each)
            bar(len(checked), len(chosen))
    found = evidence(table, checked, reruns)
    if out:
        write_atomic(out, json.dumps(found, indent=1) + "\n")
    if as_json:
        common.print_json(found)
    else:
        for each in found["different"]:
            typer.echo("\t".join((each["instance_id"], each["difference"])))
        common.say(f"{len(found['different'])} of {found['tasks_rechecked']} tasks are different now")
    if found["different"]:
        raise typer.Exit(1)


@app.command()
def scan(
    tasks: TableArgument,
    sample: SampleOption = None,
    seed: SeedOption = 0,
    out: EvidenceOption = None,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search every task's sealed environment for what gives the answer away. Exit code 1 if anything does.

    Example: `swesmith-gym tasks scan tasks.parquet --out tasks.scan.json`
    """
    del trust  # its callback has told the environment
    from swesmith_gym.evaluation.scan import evidence, parts
    from swesmith_gym.evaluation.scan import scan as run
    from swesmith_gym.home import write_atomic
    from swesmith_gym.tasks import TaskTable

    table = TaskTable.read(tasks)
    chosen = drawn(table, sample, seed)
    searched = []
    with common.progress_bar("scan") as bar:
        for each in run(chosen, common.executor(workers, sandbox), sandbox=sandbox):
            searched.append(each)
            bar(len(searched), max(len(searched), parts(chosen)))
    found = evidence(table, chosen, searched)
    if out:
        write_atomic(out, json.dumps(found, indent=1) + "\n")
    if as_json:
        common.print_json(found)
    else:
        for each in found["findings"]:
            typer.echo("\t".join((each["instance_id"], each["leak"], each["place"], each["what"])))
        common.say(
            f"{len(found['findings'])} leaks in {found['tasks_scanned']} of {found['tasks']} tasks; "
            f"searched {found['files']} files, {found['bytes'] / 1e6:.0f} MB"
        )
    if found["findings"]:
        raise typer.Exit(1)
