"""The disk space of repository environments: in the store, and as images of a Docker daemon.

    python benchmarks/disk.py [NAME]... > disk.json

Of the state folder in use; environments that it lacks are built, which needs the package index and about half a minute
each. Without names: twelve of those that travel with the package. A megabyte is 10^6 bytes here. What is shared, the
root file system and the base image on it, counts once and apart. Space in the store is what the files take on disk;
Docker counts the content of files, layer by layer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from _figures import Figure, shown
from _lifecycle import docker_image, usable
from _measure import disk_bytes, machine

from swesmith_gym.records import EnvImage
from swesmith_gym.repos import images, profiles
from swesmith_gym.repos.build import build
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.base import SandboxBackend
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.starter import shipped_tasks

NAMES = (
    *("boltons", "click", "glom", "h11", "jinja2", "markdown-it-py"),
    *("marshmallow", "parso", "sqlparse", "tinydb", "tomlkit", "toolz"),
)
PARTS = ("env", "bytecode", "testbed")
REACH_MB = 115.0
REACH_TASK_KB = 4.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", default=NAMES, help="repositories")
    names = parser.parse_args().names
    if known := roots.names():
        os.environ.setdefault("SWESMITH_GYM_ROOT_FS", known[0])  # the one kind that every backend can show
    found, _ = usable()
    backends = {each.name: each for each in found}
    built = [_built(name, found[0]) for name in names]
    results: dict[str, Any] = {"machine": machine(), "store": _store(built)}
    if "docker" in backends and all(image.root_fs != roots.HOST for image in built):
        results["docker"] = _docker(built, backends["docker"])
    results["tasks"] = _tasks()
    results["figures"] = shown(_figures(results))
    print(json.dumps(results, indent=1))
    return 0


def _built(name: str, backend: SandboxBackend) -> EnvImage:
    say = lambda step: print(f"disk: {name}: {step}", file=sys.stderr, flush=True)  # noqa: E731
    return build(profiles.load(name), backend, progress=say)


def _store(built: list[EnvImage]) -> dict[str, Any]:
    """Of each environment its parts, and what all of them share."""
    each = {image.repo: _parts(images.folder(image.key)) for image in built}
    folders = [images.folder(image.key) for image in built]
    systems = {roots.load(roots.with_id(image.root_fs)).folder for image in built if image.root_fs != roots.HOST}
    prefixes = {Path(image.interpreter_prefix) for image in built if image.interpreter_prefix}
    return {
        "environments": each,
        "together_mb": _mb(disk_bytes(*folders)),
        "shared": {
            "root_file_systems_mb": _mb(disk_bytes(*systems)),
            "interpreters_mb": _mb(disk_bytes(*prefixes)),
        },
    }


def _parts(folder: Path) -> dict[str, float]:
    whole = disk_bytes(folder)
    parts = {name: disk_bytes(folder / name) for name in PARTS}
    named = {**parts, "rest": whole - sum(parts.values()), "all": whole}
    return {f"{name}_mb": _mb(size) for name, size in named.items()}


def _docker(built: list[EnvImage], backend: SandboxBackend) -> dict[str, Any]:
    """What the daemon keeps of each image beyond the base that all stand on."""
    from swesmith_gym.sandboxes.base import SandboxSpec
    from swesmith_gym.sandboxes.docker.engine import engine

    api = engine().api
    each: dict[str, float] = {}
    bases: dict[str, int] = {}
    for image in built:
        spec = images.spec(image)
        with backend.start(spec) as sandbox:
            sandbox.run("true")
        base = api.inspect_image(docker_image(SandboxSpec(tree=spec.tree, root_fs=spec.root_fs)))
        own = api.inspect_image(docker_image(spec))
        bases[base["Id"]] = base["Size"]
        if own["RootFS"]["Layers"][: len(base["RootFS"]["Layers"])] != base["RootFS"]["Layers"]:
            raise RuntimeError(f"the image of {image.repo} does not stand on the base image")
        each[image.repo] = _mb(own["Size"] - base["Size"])
    return {"environments_mb": each, "together_mb": round(sum(each.values()), 1), "base_mb": _mb(sum(bases.values()))}


def _tasks() -> dict[str, Any]:
    """The shipped tables: bytes a task, everything in it."""
    tables = {path.stem: (path.stat().st_size, len(TaskTable.read(path))) for path in shipped_tasks().glob("*.parquet")}
    each = {name: round(size / rows / 1e3, 2) for name, (size, rows) in sorted(tables.items())}
    size, rows = (sum(column) for column in zip(*tables.values(), strict=True))
    return {"tables_kb_a_task": each, "tasks": rows, "kb_a_task": round(size / rows / 1e3, 2)}


def _figures(results: dict[str, Any]) -> list[Figure]:
    kinds = {"store": {name: parts["all_mb"] for name, parts in results["store"]["environments"].items()}}
    if "docker" in results:
        kinds["docker"] = results["docker"]["environments_mb"]
    found = []
    for kind, sizes in kinds.items():
        mean = round(sum(sizes.values()) / len(sizes), 1)
        found.append(Figure(f"an environment beyond the shared base, {kind}, mean", "MB", REACH_MB, mean))
        found.append(
            Figure(f"an environment beyond the shared base, {kind}, largest", "MB", REACH_MB, max(sizes.values()))
        )
    return [*found, Figure("a task", "KB", REACH_TASK_KB, results["tasks"]["kb_a_task"])]


def _mb(size: int) -> float:
    return round(size / 1e6, 1)


if __name__ == "__main__":
    sys.exit(main())
