"""How long sandboxes take, on every backend that works here and on what one would use instead, in the same run.

    python benchmarks/sandboxes.py [--rounds N] [--live N] [--many-steps N] [--no-episodes] > sandboxes.json

Times are p50, p95 and smallest values in milliseconds, sizes in MiB; `figures` compares them with what is to be
reached. Another load on the machine moves the times: compare ratios within one run, smallest values between runs.
The environments of the episodes are built first, which needs the package index and about a minute for each root file
system. Docker needs a portable root file system (`swesmith-gym images bootstrap`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import _alternatives
import _crowd
import _episodes
import _figures
import _lifecycle
from _measure import Times, busy, fresh_state, load, machine, sample_tree

from swesmith_gym.sandboxes.base import SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.bubblewrap import Bubblewrap

DOCKER_SHARE = 3
"""A round with Docker takes so much longer that there are fewer of them, by this divisor."""


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"sandboxes: {text}", file=sys.stderr, flush=True)


def main() -> int:
    options = _options()
    with fresh_state() as folder:
        results: dict[str, Any] = {"machine": {**machine(), "load_before": load()}}
        mark = busy()
        found, results["skipped"] = _lifecycle.usable()
        for name, why in results["skipped"].items():
            say(f"{name} is left out: {why}")
        _sandboxes(results, found, sample_tree(folder / "tree"), options)
        results["episodes"] = _all_episodes(results, found, options) if options.episodes else {}
        results["machine"] |= {"load_after": load(), "cpu_used_percent": busy(mark)}
    results["figures"] = _figures.figures(results)
    results["ratios"] = _figures.ratios(results)
    print(json.dumps(results, indent=1))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="sandboxes of each backend")
    parser.add_argument("--live", type=int, default=1000, help="sandboxes alive at once, on bubblewrap; 0: none")
    parser.add_argument("--many-steps", type=int, default=64, help="environments that are stepped at once; 0: none")
    parser.add_argument("--gradings", type=int, default=10, help="rewards that are measured on each backend")
    parser.add_argument("--no-episodes", dest="episodes", action="store_false", help="nothing that needs a network")
    return parser.parse_args()


def _rounds(options: argparse.Namespace, name: str) -> int:
    rounds: int = options.rounds
    return max(rounds // DOCKER_SHARE, 1) if name.startswith(("docker", "swerex")) else rounds


def _sandboxes(results: dict[str, Any], found: list[SandboxBackend], tree: Path, options: argparse.Namespace) -> None:
    results["backends"] = {}
    specs: dict[str, SandboxSpec] = {}
    for backend in found:
        backend.own(tree)
        spec = specs[backend.name] = SandboxSpec(tree=tree, root_fs=backend.root_fs())
        for variant in _lifecycle.variants(backend):
            say(variant.name)
            measured = _lifecycle.measure(variant, spec, _rounds(options, variant.name))
            results["backends"][variant.name] = {"root_fs": spec.root_fs, **measured}
    results["alternatives"] = _all_alternatives(found, specs, options.rounds)
    bubblewrap = next((replace(each, warm=0) for each in found if isinstance(each, Bubblewrap)), None)
    if bubblewrap:
        bubblewrap.own(tree)
        for key, number, act in (
            ("live", options.live, _crowd.live),
            ("many_steps", options.many_steps, _crowd.many_steps),
        ):
            if number:
                say(f"{key}: {number}")
                results[key] = act(bubblewrap, specs["bubblewrap"], number)


def _all_alternatives(
    found: list[SandboxBackend], specs: dict[str, SandboxSpec], rounds: int
) -> dict[str, dict[str, float]]:
    times = Times()
    fewer = max(rounds // DOCKER_SHARE, 1)
    ways: list[tuple[str, Callable[[], None]]] = [
        ("plain bash", lambda: _alternatives.plain_bash(times, rounds)),
        ("SWE-ReX", lambda: _alternatives.swe_rex(times, fewer)),
    ]
    names = {each.name: each for each in found}
    if isinstance(bubblewrap := names.get("bubblewrap"), Bubblewrap):
        cold = replace(bubblewrap, warm=0)
        ways.append(("bare bubblewrap", lambda: _alternatives.bare_bubblewrap(times, rounds)))
        ways.append(("a sandbox a command", lambda: _alternatives.cold(times, cold, specs["bubblewrap"], rounds)))
    if "docker" in names:
        image = _lifecycle.docker_image(specs["docker"])
        ways.append(("docker", lambda: _alternatives.docker_command(times, image, fewer)))
        ways.append(("docker SDK", lambda: _alternatives.docker_sdk(times, image, fewer)))
    for name, measure in ways:
        say(name)
        measure()
    return times.summary()


def _all_episodes(results: dict[str, Any], found: list[SandboxBackend], options: argparse.Namespace) -> dict[str, Any]:
    episodes = {}
    for backend in found:
        if not backend.capabilities().isolates:
            continue
        variant = _lifecycle.variants(backend)[-1]
        say(f"episodes, {variant.name}")
        episodes[variant.name] = _episodes.measure(variant, _rounds(options, variant.name), options.gradings)
        if backend.name == "bubblewrap" and options.many_steps:
            results["many_episode_steps"] = _episodes.many_steps(variant, options.many_steps)
    return episodes


if __name__ == "__main__":
    sys.exit(main())
