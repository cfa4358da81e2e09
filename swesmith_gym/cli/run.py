"""`swesmith-gym run`: the whole synthesis for many repositories, from a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, SandboxOption, TrustOption, WorkersOption
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


@asking_a_model
def run(
    config: Annotated[Path, typer.Argument(help="A configuration file (TOML).")],
    lm: LMSettings,
    prompts: PromptsOption = None,
    prompt_chars: PromptCharsOption = None,
    most_lines: MostLinesOption = None,
    most_calls: MostCallsOption = None,
    rounds: RoundsOption = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder of the tables.")] = Path("tasks"),
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build, generate, validate, write issues and verify for every repository of a configuration. Resumable.

    The file names `repos` (a list) and `created_at`; it may set `strategies`, `limit`, `limits` (of single strategies),
    `releases` (of repositories, for pr_mirror), `seed`, `issues`, `rounds`, `grading` and `warm`.
    Exit code 1 if gold or nop did not score what they must on any task, or a repository could not be built: the others
    are made all the same.

    Example: `swesmith-gym run campaign.toml --out tasks`

    Example: `swesmith-gym run rewritten.toml --base-url http://127.0.0.1:8000/v1 --model NAME --out tasks`
    """
    del trust  # its callback has told the environment
    from swesmith_gym import sandboxes
    from swesmith_gym.bugs.registry import Means
    from swesmith_gym.pipeline import synthesis
    from swesmith_gym.pipeline.configuration import read_config
    from swesmith_gym.pipeline.workplace import Workplace

    settings = read_config(config)
    folder = common.out_folder(out)
    with connected_if(named(lm), lm) as model, common.progress_bar("run") as bar:
        means = Means(
            lm=model,
            prompts=prompts,
            rounds=rounds,
            most_calls=most_calls,
            limits=entity_limits(prompt_chars, most_lines),
            concurrency=lm.concurrency,
        )
        place = Workplace(sandboxes.backend(sandbox), common.executor(workers, sandbox), common.say, bar)
        found = synthesis.run(settings, folder, place, means)
    if as_json:
        common.print_json(found)
    made = [facts for facts in found if "failed" not in facts]
    if not as_json:
        for facts in made:
            typer.echo(
                f"{facts['repo']}: {facts['tasks']} tasks of {facts['candidates']} candidates, "
                f"gold {facts['gold_resolved']}, nop {facts['nop_resolved']}"
            )
    wrong = any(facts["gold_resolved"] != facts["tasks"] * settings.rounds or facts["nop_resolved"] for facts in made)
    if wrong or len(made) < len(found):
        raise typer.Exit(1)
