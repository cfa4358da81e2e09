"""Volumes: the folders that a build writes, while they are with the daemon. Each belongs to one folder on the host."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from swesmith_gym.home import home
from swesmith_gym.records import content_id
from swesmith_gym.sandboxes.docker.engine import OWNER, Engine, labels, orphaned

FOLDER = "swesmith-gym.volume-of"


def name_of(folder: Path) -> str:
    """The name of a folder's volume."""
    return f"swesmith-gym-{content_id(str(home()), str(folder))[:24]}"


def there(engine: Engine, folder: Path) -> bool:
    """The folder's content is with the daemon."""
    return engine.find(lambda api: api.inspect_volume(name_of(folder))) is not None


def make(engine: Engine, folder: Path) -> None:
    """An empty one. Raises: SandboxError."""
    marks = {**labels(), FOLDER: str(folder)}
    engine.ask(lambda api: api.create_volume(name=name_of(folder), labels=marks))


def remove_below(engine: Engine, folder: Path) -> None:
    """Remove the volumes of a folder and of all folders in it; one that a sandbox still shows stays until its driver's
    end. Raises: SandboxError."""
    for volume in engine.ask(lambda api: api.volumes(filters={"label": FOLDER}))["Volumes"] or []:
        if Path(volume["Labels"][FOLDER]).is_relative_to(folder):
            engine.gone(partial(_remove, volume["Name"]), limit_s=0, used=True)


def _remove(name: str, api: Any) -> None:
    api.remove_volume(name, force=True)


def remove_orphans(engine: Engine) -> None:
    """Remove what drivers that have died left behind. Raises: SandboxError."""
    for volume in engine.ask(lambda api: api.volumes(filters={"label": FOLDER}))["Volumes"] or []:
        if orphaned(volume["Labels"].get(OWNER, "")):
            engine.gone(partial(_remove, volume["Name"]), limit_s=0, used=True)
