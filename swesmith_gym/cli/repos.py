"""`swesmith-gym repos`: which repositories are known, and their environments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, RootFsOption, SandboxOption, WorkersOption, group
from swesmith_gym.cli.lm_options import PromptsOption, asking_a_model, connected
from swesmith_gym.errors import InputError
from swesmith_gym.lm import LMSettings

if TYPE_CHECKING:
    from swesmith_gym.repos.installing import Added

app = group("Add repositories, and build their environments.")

_Name = Annotated[str, typer.Argument(help="Name of the repository.")]
_Index = Annotated[str | None, typer.Option("--index-url", help="Package index to use.")]
_Bundle = Annotated[Path | None, typer.Option("--ca-bundle", help="Certificates (PEM) that the index is signed with.")]


@app.command()
@asking_a_model
def add(
    source: Annotated[str, typer.Argument(help="`pypi:NAME==VERSION`, a git URL with `@REF`, or a folder.")],
    lm: LMSettings,
    name: Annotated[str, typer.Option("--name", help="Default: the project's own.")] = "",
    python: Annotated[str, typer.Option("--python", help="Version X.Y; default: detected.")] = "",
    install: Annotated[
        list[str] | None, typer.Option("--install", help="Instead of what is detected; repeatable.")
    ] = None,
    test_command: Annotated[str, typer.Option("--test-command", help="Instead of what is detected.")] = "",
    agent: Annotated[
        bool,
        typer.Option("--agent", help="Build it, too; where that fails, let a model find the commands in a sandbox."),
    ] = False,
    max_steps: Annotated[int, typer.Option("--max-steps", min=1, help="Replies of the model, with --agent.")] = 100,
    prompts: PromptsOption = None,
    index_url: _Index = None,
    ca_bundle: _Bundle = None,
    sandbox: SandboxOption = "auto",
    root_fs: RootFsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Fetch a repository and detect how it is installed and tested. Without `--agent` nothing of it is executed.

    Example: `swesmith-gym repos add pypi:marshmallow==4.4.0`

    Example: `swesmith-gym repos add ./my-project --agent --base-url http://127.0.0.1:8000/v1 --model NAME`
    """
    del root_fs  # its callback has told the environment
    from swesmith_gym.repos import add as adding

    if agent:
        from swesmith_gym import sandboxes
        from swesmith_gym.agents.installer import InstallerLimits, LMInstaller, load_prompts
        from swesmith_gym.repos import installing

        wish = adding.Wish(source, name, python, tuple(install or []), test_command)
        means = installing.Means(sandboxes.backend(sandbox), common.say, index_url, ca_bundle)
        load_prompts(wish.language, prompts)  # what is wrong with them is told before anything is built
        with connected(lm) as model:
            installer = LMInstaller(model, InstallerLimits(max_steps=max_steps), prompts)
            _tell(installing.add(wish, installer, means), as_json)
        return
    profile = adding.add(source, name, python, install or [], test_command, index_url=index_url, ca_bundle=ca_bundle)
    if as_json:
        common.print_json(asdict(profile))
    else:
        common.say(f"added {profile.name} ({profile.source}); next: swesmith-gym repos build {profile.name}")


def _tell(added: Added, as_json: bool) -> None:
    name = added.profile.name
    if as_json:
        facts = {"steps": added.steps, "cost_usd": added.cost_usd, "image_key": added.image.key}
        common.print_json(asdict(added.profile) | {"agent": facts})
        return
    how = f"by an agent in {added.steps} steps" if added.steps else "as detected; no agent was needed"
    facts = _facts(name)
    common.say(
        f"added and built {added.image.key}, {how}: {facts['passed']} of {facts['tests']} tests pass; "
        f"next, read what it runs: swesmith-gym repos review {name}"
    )


@app.command()
def build(
    name: _Name,
    index_url: _Index = None,
    ca_bundle: _Bundle = None,
    impact: Annotated[
        bool, typer.Option("--impact/--no-impact", help="Also make its impact map: validation is many times faster.")
    ] = True,
    workers: WorkersOption = common.DEFAULT_WORKERS,
    sandbox: SandboxOption = "auto",
    root_fs: RootFsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Build the environment of a repository and measure its tests. Nothing is done if it is there already.

    The impact map says which tests a change can reach: each test is run alone and watched, and a sample of bugs is
    run both ways to prove it.

    Example: `swesmith-gym repos build marshmallow`
    """
    del root_fs  # its callback has told the environment
    from swesmith_gym import sandboxes
    from swesmith_gym.repos import impacts, profiles
    from swesmith_gym.repos.build import build as building
    from swesmith_gym.repos.resolve import built

    profile = profiles.load(name)
    backend = sandboxes.backend(sandbox)
    image = building(profile, backend, progress=common.say, index_url=index_url, ca_bundle=ca_bundle)
    if impact:
        with common.progress_bar("impact map") as bar:
            impacts.ensure(built(name, backend), common.executor(workers, sandbox), bar)
    facts = _facts(name)
    if as_json:
        common.print_json(facts)
    else:
        common.say(f"built {image.key}: {facts['passed']} of {facts['tests']} tests pass, {image.suite_s:.1f} s a run")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the repositories that are known here, shipped ones included.

    Example: `swesmith-gym repos list --json`
    """
    from swesmith_gym.repos import profiles

    rows = [_facts(name) for name in profiles.names()]
    if as_json:
        common.print_json(rows)
        return
    for row in rows:
        state = f"{row['passed']}/{row['tests']} pass, {row['suite_s']:.1f} s" if row["built"] else "not built"
        typer.echo(f"{row['name']}\t{row['source']}\t{row['license']}\t{state}")


@app.command()
def show(name: _Name, as_json: JsonOption = False) -> None:
    """Show a repository's profile and what is known of its environment.

    Example: `swesmith-gym repos show marshmallow`
    """
    from swesmith_gym.repos import profiles

    profile = profiles.load(name)
    if as_json:
        common.print_json(_facts(name) | {"profile": asdict(profile)})
    else:
        typer.echo(profiles.render(profile))
        typer.echo(_environment(_facts(name)))


@app.command()
def review(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", help="Approve without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show on one screen what was detected, what ran and what the tests gave; ask for approval.

    Example: `swesmith-gym repos review marshmallow`
    """
    from rich.console import Console

    from swesmith_gym.repos import profiles
    from swesmith_gym.repos import review as reviewing

    screen = reviewing.render(name)
    if not as_json:
        Console().print(screen)
    approved = yes or (not as_json and typer.confirm("Approve this repository?", err=True))
    if approved:
        profiles.approve(name)
    if as_json:
        common.print_json(reviewing.summary(name))
    if not approved and not as_json:
        raise typer.Exit(1)


@app.command("export")
def export(
    name: _Name,
    out: Annotated[Path, typer.Option("--out", help="File to write; default: KEY.tar.gz here.")] = Path(),
    with_root: Annotated[bool, typer.Option("--with-root", help="Put the root file system in as well.")] = False,
    root_fs: RootFsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write a built environment to a file, for another machine or another sandbox. It has to be on a portable root.

    Example: `swesmith-gym repos export marshmallow --with-root`
    """
    from swesmith_gym.repos import profiles, transfer
    from swesmith_gym.repos.build import current

    image = current(profiles.load(name), root_fs)
    if image is None:
        raise InputError(f"{name} is not built on this host: swesmith-gym repos build {name}")
    path = Path(f"{image.key}.tar.gz") if out == Path() else out
    transfer.write(image, path, root=with_root)
    if as_json:
        common.print_json({"key": image.key, "path": str(path), "bytes": path.stat().st_size})
    else:
        common.say(f"wrote {image.key} to {path} ({path.stat().st_size >> 20} MiB)")


@app.command("import")
def import_(
    archive: Annotated[Path, typer.Argument(help="A file that `repos export` wrote.")],
    sandbox: SandboxOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Take an environment that was built elsewhere. Nothing is built, and nothing of it runs outside of sandboxes.

    Example: `swesmith-gym repos import marshmallow-93cdaf667402.tar.gz`
    """
    from swesmith_gym import sandboxes
    from swesmith_gym.repos import transfer

    if not archive.is_file():
        raise InputError(f"no such file: {archive}")
    image = transfer.read(archive, sandboxes.backend(sandbox))
    if as_json:
        common.print_json({"key": image.key, "repo": image.repo})
    else:
        common.say(f"{image.key} is here")


@app.command()
def remove(name: _Name, as_json: JsonOption = False) -> None:
    """Delete a repository's environments, and its profile if you added it.

    Example: `swesmith-gym repos remove marshmallow`
    """
    from swesmith_gym.repos import images, profiles
    from swesmith_gym.sandboxes.registry import available

    mine = profiles.path_of(name).parent == profiles.user_folder()
    count = images.remove(name, list(reversed(available())))
    if mine:
        profiles.remove(name)
    if as_json:
        common.print_json({"name": name, "images": count, "profile": mine})
    else:
        common.say(f"removed {count} environments{' and the profile' if mine else ''} of {name}")


def _environment(facts: dict[str, Any]) -> str:
    """What is known of an environment, as comments below the profile."""
    if not facts["built"]:
        return f"# not built on this host: swesmith-gym repos build {facts['name']}"
    return (
        f"# built: {facts['image_key']}, Python {facts['interpreter']}\n"
        f"# tests: {facts['passed']} of {facts['tests']} pass, {facts['quarantined']} quarantined, "
        f"{facts['suite_s']:.1f} s a run"
    )


def _facts(name: str) -> dict[str, Any]:
    from swesmith_gym.records import Outcome
    from swesmith_gym.repos import profiles
    from swesmith_gym.repos.build import current

    profile = profiles.load(name)
    image = current(profile)
    facts: dict[str, Any] = {
        "name": name,
        "source": profile.source,
        "license": profile.license,
        "approved": profile.approved,
        "shipped": profiles.path_of(name).parent == profiles.shipped_folder(),
        "built": image is not None,
    }
    if image is not None:
        outcomes = [r.outcome for test, r in image.baseline.items() if test not in image.quarantined]
        facts |= {
            "image_key": image.key,
            "interpreter": image.interpreter_version,
            "tests": len(outcomes),
            "passed": sum(outcome is Outcome.PASSED for outcome in outcomes),
            "quarantined": len(image.quarantined),
            "suite_s": image.suite_s,
        }
    return facts
