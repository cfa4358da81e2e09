"""`swesmith-gym images`: portable root file systems, which environments are built on and sandboxes show."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from swesmith_gym.cli import common
from swesmith_gym.cli.common import JsonOption, group
from swesmith_gym.errors import InputError

app = group("Portable root file systems, for Docker, and for bubblewrap in place of the host's.")

_Name = Annotated[str, typer.Argument(help="Name of the root file system.")]
_NewName = Annotated[str, typer.Option("--name", help="Default: made from what it is taken from.")]


@app.command()
def bootstrap(
    suite: Annotated[str, typer.Option("--suite", help="Debian's release.")] = "bookworm",
    name: _NewName = "",
    include: Annotated[list[str] | None, typer.Option("--include", help="A further package; repeatable.")] = None,
    mirror: Annotated[str, typer.Option("--mirror", help="Where the packages come from.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make one from Debian's packages, with mmdebstrap: no registry, no daemon. Nothing is done if it is there.

    Example: `swesmith-gym images bootstrap`
    """
    from swesmith_gym.sandboxes import roots

    wanted = name or f"debian-{suite}"
    if wanted not in roots.names():
        common.say(f"making {wanted} from Debian packages: a minute or two")
        roots.bootstrap(suite, name=wanted, packages=include or (), mirror=mirror)
    _show(wanted, as_json)


@app.command()
def take(
    source: Annotated[str, typer.Argument(help="An image, e.g. `python:3.12-slim`, or a tar file of a root.")],
    name: _NewName = "",
    as_json: JsonOption = False,
) -> None:
    """Take one from an image that Docker has or can pull, or from a tar archive (`docker export`). It has to hold
    python3, bash and git.

    Example: `swesmith-gym images take python:3.12-slim`
    """
    from swesmith_gym.sandboxes import roots

    if Path(source).is_file():
        found = roots.take(Path(source), name=name or Path(source).stem.lower(), origin=f"tar:{Path(source).name}")
    else:
        from swesmith_gym.sandboxes.docker.take import take as taking

        found = taking(source, name=name)
    _show(found.name, as_json)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List those that are here. The first is what Docker uses unless `$SWESMITH_GYM_ROOT_FS` names another.

    Example: `swesmith-gym images list --json`
    """
    from swesmith_gym.sandboxes import roots

    found = [roots.load(name) for name in roots.names()]
    if as_json:
        common.print_json([{**asdict(root), "id": root.id, "folder": str(root.folder)} for root in found])
        return
    for root in found:
        typer.echo(f"{root.name}\t{root.id}\tPython {root.python_version}")


@app.command()
def remove(name: _Name, as_json: JsonOption = False) -> None:
    """Delete one. Environments that were built on it cannot be used any more.

    Example: `swesmith-gym images remove debian-bookworm`
    """
    from swesmith_gym.repos import images
    from swesmith_gym.sandboxes import roots

    root = roots.load(name)
    users = sorted(key for key in images.all_keys() if images.load(key).root_fs == root.id)
    if users:
        raise InputError(
            f"{name} is used by {len(users)} environments ({', '.join(users[:3])}): `repos remove` them first"
        )
    roots.remove(name)
    if as_json:
        common.print_json({"removed": name})
    else:
        common.say(f"removed {name}")


def _show(name: str, as_json: bool) -> None:
    from swesmith_gym.sandboxes import roots

    root = roots.load(name)
    if as_json:
        common.print_json({**asdict(root), "id": root.id, "folder": str(root.folder)})
    else:
        common.say(f"{root.name} is here: {root.id}, Python {root.python_version}")
