"""`python -m swesmith_gym.sandboxes.conformance`: run the suite, print a line for each finding, write them down.

Exit code 1 where a case failed, 2 for a bad argument or a sandbox that is not usable.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

from swesmith_gym.errors import InputError, SweSmithGymError
from swesmith_gym.home import write_atomic
from swesmith_gym.sandboxes import warm
from swesmith_gym.sandboxes.base import SandboxBackend
from swesmith_gym.sandboxes.conformance.case import Finding, Status
from swesmith_gym.sandboxes.conformance.cases import CASES
from swesmith_gym.sandboxes.conformance.run import check_all
from swesmith_gym.sandboxes.conformance.table import Column, column, write_table
from swesmith_gym.sandboxes.registry import backend


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swesmith_gym.sandboxes.conformance", description=__doc__)
    add = parser.add_argument
    add(
        "--sandbox",
        action="append",
        metavar="NAME",
        help="as `swesmith-gym` takes it, or MODULE:CLASS; can be repeated",
    )
    add("--root-fs", metavar="NAME", help="root file system; the backend's choice if it is not given")
    add("--case", action="append", metavar="ID", help="only this case, or group of cases; can be repeated")
    add("--json", type=Path, metavar="FILE", help="write the findings there")
    add("--table", type=Path, metavar="FILE.md", help="write a Markdown table there, between its marks if it has them")
    add(
        "--add",
        type=Path,
        action="append",
        metavar="FILE.json",
        help="findings of an earlier run, put in front; without --sandbox: nothing else",
    )
    return parser.parse_args()


def _backend(name: str | None) -> SandboxBackend:
    """Raises: InputError, SandboxUnavailable."""
    module, _, attribute = (name or "").partition(":")
    if not attribute:
        return backend(name)
    sys.path.insert(0, os.getcwd())
    try:
        made = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise InputError(f"no sandbox can be made of {name}: {error}") from error
    if not isinstance(made, SandboxBackend):
        raise InputError(f"{name} is no SandboxBackend")
    return made


def _tell(finding: Finding) -> None:
    case = finding.case
    line = f"{case.id} {finding.status.value:<12} {finding.seconds:5.1f} s  {case.name}"
    print(f"{line}: {finding.detail}" if finding.detail else line, file=sys.stderr, flush=True)


def _earlier(paths: list[Path]) -> list[Column]:
    try:
        return [column(each) for path in paths for each in json.loads(path.read_text("utf-8"))]
    except ValueError as error:
        raise InputError(f"not JSON: {error}") from None


def _run(options: argparse.Namespace) -> int:
    columns = _earlier(options.add or [])
    wanted = tuple(options.case or [""])
    cases = [case for case in CASES if case.id.startswith(wanted)]
    fresh = []
    for name in options.sandbox or ([] if options.add else [None]):
        found = _backend(name)
        print(f"{found.name}:", file=sys.stderr)
        findings = check_all(found, cases, _tell, options.root_fs or found.root_fs())
        fresh.append(Column.of(found.name, findings))
    columns += fresh
    if options.json:
        write_atomic(options.json, json.dumps([each.plain() for each in columns], indent=1) + "\n")
    if options.table:
        write_table(options.table, columns)
    failed = sum(each.status == Status.FAILED for one in fresh for each in one.findings)
    print(f"{failed} failed" if failed else "nothing failed", file=sys.stderr)
    return 1 if failed else 0


def main() -> None:
    os.environ[warm.VARIABLE] = "0"  # sandboxes that come and go between two looks would count as left over
    try:
        code = _run(_arguments())
    except SweSmithGymError as error:
        print(f"{error}", file=sys.stderr)
        code = 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
