"""`swesmith-gym doctor`: what works on this host, and the command that fixes what does not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption

if TYPE_CHECKING:
    from swesmith_gym.sandboxes import SandboxBackend

_NETWORK = {
    "none": "enforced, for episodes and grading: a namespace of its own without any interface (process: no sockets)",
    "index": "the package index only, through a proxy of ours; builds have it while they resolve and fetch",
    "full": "bubblewrap: the host's; docker: the bridge; for builds with a dependency from elsewhere",
}


def doctor(as_json: JsonOption = False) -> None:
    """Say what works on this host, and how to fix what does not. Exit code 1 if no sandbox is usable.

    Example: `swesmith-gym doctor --json`
    """
    from swesmith_gym.home import home
    from swesmith_gym.sandboxes.registry import available

    facts: dict[str, Any] = {
        "home": str(home()),
        "network": _NETWORK,
        "sandboxes": {backend.name: _examine(backend) for backend in available()},
    }
    if as_json:
        common.print_json(facts)
    else:
        typer.echo(f"state folder: {facts['home']}")
        for name, meaning in _NETWORK.items():
            typer.echo(f"network {name}: {meaning}")
        for name, found in facts["sandboxes"].items():
            _print(name, found)
    if not any(found["usable"] for found in facts["sandboxes"].values()):
        raise typer.Exit(1)


def _examine(backend: SandboxBackend) -> dict[str, Any]:
    from swesmith_gym.errors import SandboxUnavailable

    checks = [asdict(check) for check in backend.checks()]
    found: dict[str, Any] = {"usable": False, "reason": "", "capabilities": None, "checks": checks}
    try:
        found["capabilities"] = asdict(backend.capabilities())
    except SandboxUnavailable as error:
        return found | {"reason": str(error)}
    broken = [check["name"] for check in checks if not check["ok"] and check["fix"]]
    return found | {"usable": not broken, "reason": f"to be fixed: {', '.join(broken)}" if broken else ""}


def _print(name: str, found: dict[str, Any]) -> None:
    typer.echo(f"{name}: {'usable' if found['usable'] else found['reason']}")
    for check in found["checks"]:
        typer.echo(f"  {'ok' if check['ok'] else 'no'}  {check['name']}: {check['detail']}")
        if check["fix"] and not check["ok"]:
            typer.echo(f"      fix: {check['fix']}")
    for key, value in (found["capabilities"] or {}).items():
        typer.echo(f"  {key}: {value}")
