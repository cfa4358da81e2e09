"""The whole synthesis for many repositories: build, generate, validate, write issues, verify. Resumable at every step.

OUT/NAME.parquet          the tasks of a repository, those of one strategy after those of another
OUT/NAME.verify.json      what gold and nop scored on each of them
OUT/NAME.provenance.json  what they were made from, and what became of every candidate
OUT/work/NAME/STRATEGY/   what each strategy gave (`parts`)
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from swesmith_gym.bugs.pr_mirror import PrMirror
from swesmith_gym.bugs.registry import COMBINING, Means, check_asking
from swesmith_gym.errors import ProfileError
from swesmith_gym.evaluation import verify
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.home import read_object, write_atomic
from swesmith_gym.pipeline import parts, provenance, validation
from swesmith_gym.pipeline.configuration import SynthesisConfig
from swesmith_gym.pipeline.parts import Order, Part
from swesmith_gym.pipeline.statements import Writing
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.repos import profiles
from swesmith_gym.repos.changes.base import SourceChange
from swesmith_gym.repos.changes.given import changes_from
from swesmith_gym.repos.resolve import ensure_built
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks import tree as trees


def run(config: SynthesisConfig, out: Path, place: Workplace, means: Means | None = None) -> list[dict[str, Any]]:
    """Make every table that is not there yet; returns the provenance of all, and of a repository that cannot be built
    only its name and why (`failed`). `means`: the model, for what one makes. Raises: SweSmithGymError, OSError."""
    means = means or Means()
    issues = Writing(config.issues, lm=means.lm)
    issues.check()
    check_asking(config.strategies, means)
    for name in config.repos:
        profiles.load(name)
    found = []
    for number, name in enumerate(config.repos, 1):
        place.say(f"{name} ({number} of {len(config.repos)})")
        try:
            found.append(_one(name, config, means, out, place))
        except ProfileError as error:
            place.say(f"{name}: {error}")
            found.append({"repo": name, "failed": str(error)})
    return found


def _one(name: str, config: SynthesisConfig, means: Means, out: Path, place: Workplace) -> dict[str, Any]:
    testbed = ensure_built(name, place.backend, place.say)
    made: dict[str, Part] = {}
    changes = _mirrored(name, config)
    for strategy in config.strategies:
        before = [task for part in made.values() for task in part.tasks]
        if (strategy == PrMirror.name and not changes) or (strategy in COMBINING and not before):
            place.say(f"{name}: nothing for {strategy} to work with")
            continue
        place.say(f"{name}: {strategy}")
        order = Order(strategy, replace(means, tasks=before, changes=changes))
        made[strategy] = parts.make(order, testbed, config, out / "work" / name / strategy, place)
        place.say(f"{name}: {strategy}: {len(made[strategy].tasks)} tasks")
    if not made:
        raise ProfileError(f"{name}: no strategy of the configuration has anything to work with")
    return _written(testbed, config, made, out)


def _mirrored(name: str, config: SynthesisConfig) -> list[SourceChange]:
    """What is taken back in a repository."""
    if PrMirror.name not in config.strategies or name not in config.releases:
        return []
    older, _, newer = config.releases[name].partition("..")
    return changes_from(profiles.load(name), releases_from_to=(older, newer))


def _written(testbed: Testbed, config: SynthesisConfig, made: Mapping[str, Part], out: Path) -> dict[str, Any]:
    """The table of all parts, and what is kept beside it."""
    name = testbed.image.repo
    table = TaskTable(task for part in made.values() for task in part.tasks)
    evidence = verify.joined(table, [part.evidence for part in made.values()])
    rejected = [each for part in made.values() for each in part.rejected]
    facts: dict[str, Any] = {
        "repo": name,
        "source": testbed.image.source,
        "license": testbed.image.license,
        "image_key": testbed.image.key,
        "interpreter": testbed.image.interpreter_version,
        "configuration": {key: value for key, value in asdict(config).items() if key != "repos"},
        "left_out_before_validation": dict(sum((Counter(part.left_out) for part in made.values()), Counter())),
        **validation.summary(table, rejected),
        "dropped": provenance.rows(provenance.grouped(rejected)),
        "spent_s": _spent(made.values()),
        "gold_resolved": evidence["gold_resolved"],
        "nop_resolved": evidence["nop_resolved"],
    }
    path, facts = out / f"{name}.parquet", json.loads(json.dumps(facts))
    beside = provenance.path_of(path)
    if read_object(path.with_suffix(".verify.json")) != evidence or read_object(beside) != facts:
        table.write(path)
        write_atomic(path.with_suffix(".verify.json"), json.dumps(evidence, indent=1) + "\n")
        write_atomic(out / "licenses" / f"{name}.txt", _license_text(testbed))
        write_atomic(beside, json.dumps(facts, indent=1) + "\n")
    return facts


def _spent(made: Iterable[Part]) -> dict[str, dict[str, float]]:
    """Phase -> seconds of all parts."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: {"wall": 0.0, "cpu": 0.0})
    for part in made:
        for phase, (wall_s, cpu_s) in part.spent.items():
            found[phase]["wall"] += wall_s
            found[phase]["cpu"] += cpu_s
    return {phase: {kind: round(value, 1) for kind, value in each.items()} for phase, each in found.items()}


def _license_text(testbed: Testbed) -> str:
    """Every licence file at the top of the tree, one after the other."""
    files = trees.contents(testbed.pristine)
    found = [path for path in files if re.match(r"(licen[cs]e|copying|notice|authors)[^/]*$", path, re.IGNORECASE)]
    return "\n".join(f"==== {path}\n\n{files[path].decode(errors='replace')}" for path in sorted(found))
