"""`swesmith-gym bugs`: generate candidates, and validate them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, TrustOption, WorkersOption, group
from swesmith_gym.cli.lm_options import (
    MostCallsOption,
    MostLinesOption,
    PromptCharsOption,
    PromptsOption,
    RoundsOption,
    asking_a_model,
    connected_if,
    entity_limits,
    named,
)
from swesmith_gym.lm import LMSettings

app = group("Make bug candidates, and find out which of them break tests.")


@app.command()
@asking_a_model
def generate(
    repo: Annotated[str, typer.Option("--repo", help="Name of a built repository.")],
    out: Annotated[Path, typer.Option("--out", help="Where the candidates go (JSON Lines).")],
    lm: LMSettings,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            help="procedural (default), lm_modify, lm_rewrite, combine_file, combine_module, pr_mirror; repeatable.",
        ),
    ] = None,
    operator: Annotated[list[str] | None, typer.Option("--operator", help="Only these operators.")] = None,
    tasks: Annotated[
        Path | None, typer.Option("--tasks", help="For combine_*: a table of validated bugs to combine.")
    ] = None,
    patches: Annotated[
        Path | None, typer.Option("--patches", help="For pr_mirror: a patch file, or a folder of them.")
    ] = None,
    patches_on: Annotated[
        str, typer.Option("--patches-on", help="The release or source that the patches were made for.")
    ] = "",
    git_range: Annotated[str, typer.Option("--range", help="For pr_mirror: commits A..B of the repository.")] = "",
    git_source: Annotated[
        str, typer.Option("--git-source", help="Where those commits are; default: the profile's repository.")
    ] = "",
    from_release: Annotated[str, typer.Option("--from", help="For pr_mirror: an older release of the package.")] = "",
    to_release: Annotated[str, typer.Option("--to", help="What it is compared with; default: the profile's own.")] = "",
    prompts: PromptsOption = None,
    prompt_chars: PromptCharsOption = None,
    most_lines: MostLinesOption = None,
    most_calls: MostCallsOption = None,
    rounds: RoundsOption = 1,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most this many, spread evenly.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other bugs.")] = 0,
    rejected: Annotated[
        Path | None, typer.Option("--rejected", help="Keep here what is left out, with reasons.")
    ] = None,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Make bug candidates for a repository.

    Example: `swesmith-gym bugs generate --repo sqlparse --strategy procedural --limit 100 --out candidates.jsonl`

    Example: `swesmith-gym bugs generate --repo sqlparse --strategy combine_file --tasks tasks.parquet --out more.jsonl`

    Example: `swesmith-gym bugs generate --repo sqlparse --strategy lm_rewrite --base-url http://127.0.0.1:8000/v1
    --model NAME --limit 100 --out candidates.jsonl` (an interrupted run pays for no answer twice)

    Example: `swesmith-gym bugs generate --repo sqlparse --strategy pr_mirror --from 0.5.3 --out mirrored.jsonl`
    """
    from swesmith_gym import sandboxes
    from swesmith_gym.bugs.pr_mirror import PrMirror
    from swesmith_gym.bugs.registry import ASKING, Means
    from swesmith_gym.pipeline import generation
    from swesmith_gym.pipeline.workplace import Workplace
    from swesmith_gym.repos import profiles
    from swesmith_gym.repos.changes.given import changes_from
    from swesmith_gym.tasks import TaskTable

    chosen = strategy or ["procedural"]
    changes = []
    if PrMirror.name in chosen:
        changes = changes_from(
            profiles.load(repo),
            patches=patches,
            patches_on=patches_on,
            git_range=git_range,
            git_source=git_source,
            releases_from_to=(from_release, to_release),
        )
    asked = not ASKING.isdisjoint(chosen) or (PrMirror.name in chosen and named(lm))
    with connected_if(asked, lm) as model, common.progress_bar("generate") as bar:
        means = Means(
            operators=operator or (),
            tasks=list(TaskTable.read(tasks)) if tasks else (),
            changes=changes,
            lm=model,
            prompts=prompts,
            rounds=rounds,
            most_calls=most_calls,
            concurrency=lm.concurrency,
            limits=entity_limits(prompt_chars, most_lines),
        )
        place = Workplace(sandboxes.backend(sandbox), common.executor(workers, sandbox), progress=bar)
        counts = generation.run(repo, place, chosen, out, means=means, limit=limit, seed=seed, rejected=rejected)
    _tell(counts, out, as_json)


def _tell(counts: dict[str, Any], out: Path, as_json: bool) -> None:
    if as_json:
        common.print_json(counts)
    else:
        reasons = ", ".join(f"{n} {reason}" for reason, n in counts["rejected"].items()) or "none"
        common.say(f"{counts['candidates']} candidates in {out} (left out: {reasons})")


@app.command()
def validate(
    candidates: Annotated[Path, typer.Argument(help="Candidates (JSON Lines).")],
    out: Annotated[Path, typer.Option("--out", help="The task table.")] = Path("tasks.parquet"),
    rejected: Annotated[Path, typer.Option("--rejected", help="Rejected candidates.")] = Path("rejected.jsonl"),
    workers: WorkersOption = common.DEFAULT_WORKERS,
    timeout_s: Annotated[float | None, typer.Option("--timeout-s", min=0.1, help="Limit for one candidate.")] = None,
    issues: Annotated[str, typer.Option("--issues", help="Problem statements: static, tests or pr.")] = "tests",
    keep_collection_errors: Annotated[
        bool, typer.Option("--keep-collection-errors", help="Keep bugs that stop test modules from being collected.")
    ] = False,
    reruns: Annotated[
        int, typer.Option("--reruns", min=0, help="Runs of each task's FAIL_TO_PASS again, with the bug and without.")
    ] = 3,
    most_broken: Annotated[
        float | None,
        typer.Option("--most-broken", min=0, max=1, help="Reject bugs that break more than this share of the tests."),
    ] = None,
    created_at: Annotated[str | None, typer.Option("--created-at", help="Time stamp of the tasks (ISO 8601).")] = None,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the tests with each candidate in the tree; keep those that make passing tests fail. Resumes after Ctrl-C.

    Example: `swesmith-gym bugs validate candidates.jsonl --out tasks.parquet --rejected rejected.jsonl`
    """
    del trust  # its callback has told the environment
    from swesmith_gym import sandboxes
    from swesmith_gym.harness.validate import ValidationSettings
    from swesmith_gym.pipeline import candidates as files
    from swesmith_gym.pipeline import validation
    from swesmith_gym.pipeline.statements import Writing
    from swesmith_gym.pipeline.workplace import Workplace
    from swesmith_gym.repos.resolve import built

    writing = Writing(issues)
    writing.check()
    found = files.read(candidates)
    backend = sandboxes.backend(sandbox)
    job = validation.ValidationJob(
        candidates=found,
        testbeds={repo: built(repo, backend) for repo in sorted({c.repo for c in found})},
        out=out,
        rejected=rejected,
        settings=ValidationSettings(
            created_at=common.timestamp(created_at),
            timeout_s=timeout_s,
            keep_collection_errors=keep_collection_errors,
            most_broken=most_broken,
            reruns=reruns,
        ),
        issues=writing,
        stamp_is_given=created_at is not None,
    )
    with common.progress_bar("validate") as bar:
        table, dropped = validation.run(job, Workplace(backend, common.executor(workers, sandbox), progress=bar))
    summary = validation.summary(table, dropped)
    if as_json:
        common.print_json(summary)
    else:
        reasons = ", ".join(f"{n} {reason}" for reason, n in summary["rejected"].items()) or "none"
        common.say(f"{len(table)} tasks of {summary['candidates']} candidates in {out} (rejected: {reasons})")
