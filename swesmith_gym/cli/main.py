"""`swesmith-gym`: the entry point, and how errors end the program."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from swesmith_gym.cli import bugs, doctor, evaluate, issues, quickstart, repos, rollout, run, tasks, view
from swesmith_gym.cli.common import fail, group
from swesmith_gym.errors import SweSmithGymError

# Typer brings its own copy of click, or uses the installed one.
_USAGE_ERROR: type[typer.BadParameter] = next(k for k in typer.BadParameter.__mro__ if k.__name__ == "ClickException")

_STOPPED = 130

app = group("Bug-fixing tasks synthesized from real repositories, as Gymnasium environments.")
app.command("quickstart")(quickstart.quickstart)
app.command("doctor")(doctor.doctor)
app.add_typer(repos.app, name="repos")
app.add_typer(bugs.app, name="bugs")
app.add_typer(issues.app, name="issues")
app.add_typer(tasks.app, name="tasks")
app.command("run")(run.run)
app.command("rollout")(rollout.rollout)
app.command("evaluate")(evaluate.evaluate)
app.command("view")(view.view)


def _version(asked: bool) -> None:
    if asked:
        from swesmith_gym import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run a command. Bad input: one line on stderr, exit code 2. Ctrl-C: exit code 130; the same command resumes."""
    try:
        code = app(standalone_mode=False)
    except SweSmithGymError as error:
        fix = getattr(error, "fix", "")
        fail(f"{error} (fix: {fix})" if fix and fix not in str(error) else str(error), 2)
    except OSError as error:
        fail(f"{error.filename or 'the system'}: {error.strerror or error}", 2)
    except (KeyboardInterrupt, typer.Abort):
        code = _STOPPED
    except typer.Exit as leave:
        code = leave.exit_code
    except _USAGE_ERROR as error:
        fail(f"{error.format_message()} (see --help)", 2)
    if code == _STOPPED:  # typer answers Ctrl-C with this exit code, and without a word
        fail("stopped; the same command goes on from here", _STOPPED)
    sys.exit(code if isinstance(code, int) else 0)
