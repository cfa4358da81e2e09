"""What all commands share: options, JSON output, progress, and errors as one line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swesmith_gym.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from swesmith_gym.executors import Executor

DEFAULT_WORKERS = len(os.sched_getaffinity(0))
"""One worker a core that this process may use."""


def _use_root_fs(name: str) -> str:
    """Whatever starts a sandbox asks the environment, as it does for the state folder."""
    if name:
        os.environ["SWESMITH_GYM_ROOT_FS"] = name
    return name


def _trust(given: bool) -> bool:
    """As above: the process backend asks."""
    if given:
        os.environ["SWESMITH_GYM_TRUST_OUTER_SANDBOX"] = "1"
    return given


JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
SandboxOption = Annotated[
    str,
    typer.Option(
        "--sandbox",
        help="auto, bubblewrap, docker, swerex or process.",
        envvar="SWESMITH_GYM_SANDBOX",
        show_default=True,
    ),
]
RootFsOption = Annotated[
    str,
    typer.Option(
        "--root-fs",
        help="Root file system: `host`, or the name of a portable one (`images list`). Default: the host's where the "
        "sandbox can show it.",
        envvar="SWESMITH_GYM_ROOT_FS",
        callback=_use_root_fs,
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-outer-sandbox",
        help="This machine is itself the sandbox: let --sandbox process grade.",
        envvar="SWESMITH_GYM_TRUST_OUTER_SANDBOX",
        callback=_trust,
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="How many sandboxes run at once; default: one a core.")
]


def executor(workers: int, sandbox: str) -> Executor:
    """The local executor; one worker for a sandbox of which only one can be open. Raises: SandboxUnavailable."""
    from swesmith_gym import sandboxes
    from swesmith_gym.executors import LocalExecutor

    many = workers == 1 or sandboxes.backend(sandbox).capabilities().many
    return LocalExecutor(workers if many else 1)


def group(help_text: str) -> typer.Typer:
    """A command group in this program's style."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        add_completion=False,
    )


def say(text: str) -> None:
    """A line for people, on stderr: stdout belongs to results."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """A result on stdout, as JSON."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=True, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    return str(value)


class Bar:
    """A progress bar with rate and time left on a terminal; silent where stderr is piped."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._label = label
        self._task = progress.add_task(label, total=None)
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` items are finished."""
        now = time.monotonic()
        self._first = self._first or (now, done)
        rate = (done - self._first[1]) / max(now - self._first[0], 1e-9)
        label = f"{self._label} {rate:.2f}/s {note}" if done > self._first[1] else self._label
        self._progress.update(self._task, completed=done, total=total, description=label)


@contextmanager
def progress_bar(label: str) -> Iterator[Bar]:
    """A bar for the time of a `with` block."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield Bar(progress, label)


def timestamp(given: str | None) -> str:
    """`--created-at`, else `$SOURCE_DATE_EPOCH`, else now: ISO 8601, UTC, whole seconds. Raises: InputError."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        if given:
            moment = datetime.fromisoformat(given)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        elif epoch:
            moment = datetime.fromtimestamp(int(epoch), UTC)
        else:
            moment = datetime.now(UTC)
    except ValueError as error:
        raise InputError(f"the time stamp {given or epoch!r} is neither ISO 8601 nor seconds ({error})") from error
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def out_folder(path: Path) -> Path:
    """`path` as a folder that exists. Raises: InputError (it is a file)."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file: --out takes a folder")
    path.mkdir(parents=True, exist_ok=True)
    return path


def fail(text: str, code: int) -> None:
    """End the program with one line on stderr."""
    line = " ".join(text.split())
    print(f"swesmith-gym: {line}", file=sys.stderr)
    raise SystemExit(code)
