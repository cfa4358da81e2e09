"""`swesmith-gym`: the entry point, and how errors end the program."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from swesmith_gym.cli import (
    bugs,
    doctor,
    evaluate,
    images,
    issues,
    quickstart,
    redteam,
    repos,
    rollout,
    run,
    tasks,
    view,
)
from swesmith_gym.cli.common import fail, group
from swesmith_gym.errors import LMError, SweSmithGymError

# Typer brings its own copy of click, or uses the installed one.
_USAGE_ERROR: type[typer.BadParameter] = next(k for k in typer.BadParameter.__mro__ if k.__name__ == "ClickException")

_STOPPED = 130
_GOES_ON = "stopped; the same command goes on from here"
_AFTER_CTRL_C = {
    "bugs generate": "stopped; no answer of a model is paid for twice, the rest is made again",
    "bugs validate": _GOES_ON,
    "evaluate": _GOES_ON,
    "issues write": _GOES_ON,
    "run": _GOES_ON,
    "tasks redteam": "stopped; the same command with --out goes on from here",
    "quickstart": "stopped; the same command keeps what is built and validated, and does the rest",
    "repos build": "stopped; the same command begins again",
    "rollout": "stopped; the same command with --resume goes on from here",
}
"""What can be done after Ctrl-C, by command; the others have nothing to go on from."""

app = group("Bug-fixing tasks synthesized from real repositories, as Gymnasium environments.")
app.command("quickstart")(quickstart.quickstart)
app.command("doctor")(doctor.doctor)
app.add_typer(repos.app, name="repos")
app.add_typer(images.app, name="images")
app.add_typer(bugs.app, name="bugs")
app.add_typer(issues.app, name="issues")
tasks.app.command("redteam")(redteam.redteam)
tasks.app.command("redteam-table")(redteam.redteam_table)
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


def _after_ctrl_c(words: list[str]) -> str:
    known = (_AFTER_CTRL_C.get(" ".join(words[:count])) for count in (2, 1))
    return next((text for text in known if text), "stopped")


def main() -> None:
    """Run a command. Bad input: one line on stderr, exit code 2. Ctrl-C: exit code 130, and how to go on."""
    try:
        code = app(standalone_mode=False)
    except LMError as error:
        fail(f"{error}; what was answered is kept, and not asked for again", 1)
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
        fail(_after_ctrl_c(sys.argv[1:]), _STOPPED)
    sys.exit(code if isinstance(code, int) else 0)
