"""The whole synthesis for many repositories: build, generate, validate, write issues, verify. Resumable at every step.

OUT/NAME.parquet          the tasks of a repository
OUT/NAME.verify.json      what gold and nop scored on each of them
OUT/NAME.provenance.json  what they were made from, and what became of every candidate
OUT/work/NAME/            candidates and rejected rows, and what the table was made with (`made.json`)
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.evaluation import verify
from swesmith_gym.harness.grade import Grading
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings
from swesmith_gym.home import write_atomic
from swesmith_gym.issues import check_mode
from swesmith_gym.lm.base import LM
from swesmith_gym.pipeline import candidates as candidate_files
from swesmith_gym.pipeline import generation, provenance, validation
from swesmith_gym.pipeline.spent import Spent
from swesmith_gym.pipeline.statements import Writing
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.records import RejectedCandidate, content_id
from swesmith_gym.repos import profiles
from swesmith_gym.repos.resolve import ensure_built
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks import tree as trees


@dataclass(frozen=True, slots=True)
class SynthesisConfig:
    """A configuration file: what is made, from what, and under which seed."""

    repos: tuple[str, ...]
    """Names of profiles."""
    created_at: str
    """Time stamp of every task, ISO 8601: equal configurations give equal bytes."""
    strategies: tuple[str, ...] = ("procedural",)
    limit: int = 100
    """Candidates for each repository and strategy, at most."""
    seed: int = 0
    issues: str = "tests"
    """Mode of the problem statements."""
    rounds: int = 1
    """How often gold and nop are graded on every task."""
    grading: str = "full"
    """How they are graded: `full` or `impacted`."""
    warm: bool = False
    """They are run in forks of runners that stay; else in fresh sandboxes, as any submission is."""


def read_config(path: Path) -> SynthesisConfig:
    """Read a TOML file. Raises: InputError (file, field)."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; see `swesmith-gym run --help` for what it holds")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML ({error})") from error
    kinds = {f.name: str(f.type) for f in fields(SynthesisConfig)}
    for name, value in data.items():
        if name not in kinds:
            raise InputError(f"{path}: unknown field {name!r}; known are {', '.join(kinds)}")
        if not isinstance(value, {"str": str, "int": int, "bool": bool}.get(kinds[name], list)):
            raise InputError(f"{path}: the field {name!r} has the wrong type ({type(value).__name__})")
    for name in ("repos", "created_at"):
        if not data.get(name):
            raise InputError(f"{path}: the field {name!r} is missing")
    for name in ("repos", "strategies"):
        if not all(isinstance(each, str) for each in data.get(name, [])):
            raise InputError(f"{path}: the field {name!r} must be a list of names")
    for name in ("limit", "rounds"):
        if isinstance(data.get(name), bool) or data.get(name, 1) < 1:
            raise InputError(f"{path}: the field {name!r} must be 1 or more")
    try:
        datetime.fromisoformat(data["created_at"])
    except ValueError as error:
        raise InputError(f"{path}: the field 'created_at' is not ISO 8601 ({error})") from error
    check_mode(data.get("issues", "tests"))
    if data.get("grading", "full") not in get_args(Grading):
        raise InputError(f"{path}: the field 'grading' must be one of {', '.join(get_args(Grading))}")
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
    return SynthesisConfig(**values)


def run(config: SynthesisConfig, out: Path, place: Workplace, lm: LM | None = None) -> list[dict[str, Any]]:
    """Make every table that is not there yet; returns the provenance of all, and of a repository that cannot be built
    only its name and why (`failed`). `lm`: for what a model makes. Raises: SweSmithGymError, OSError."""
    issues = Writing(config.issues, lm=lm)
    issues.check()
    for name in config.repos:
        profiles.load(name)
    found = []
    for number, name in enumerate(config.repos, 1):
        place.say(f"{name} ({number} of {len(config.repos)})")
        try:
            found.append(_one(name, config, issues, out, place))
        except ProfileError as error:
            place.say(f"{name}: {error}")
            found.append({"repo": name, "failed": str(error)})
    return found


def _one(name: str, config: SynthesisConfig, issues: Writing, out: Path, place: Workplace) -> dict[str, Any]:
    testbed = ensure_built(name, place.backend, place.say)
    settings = {key: value for key, value in json.loads(json.dumps(asdict(config))).items() if key != "repos"}
    key = content_id(name, testbed.image.fingerprint, [*settings.values(), *_by_model(issues)])
    known = _known(out / f"{name}.parquet", key)
    if known is not None and _verified(out, name):
        return known
    work, table_path = out / "work" / name, out / f"{name}.parquet"
    spent = Spent(work / "spent.json")
    with spent.on("making"):
        table, rejected, left_out = _make(testbed, config, issues, work, table_path, place)
    with spent.on("verification"):
        evidence = _verify(table, config, place)
    write_atomic(out / f"{name}.verify.json", json.dumps(evidence, indent=1) + "\n")
    facts = {
        "repo": name,
        "source": testbed.image.source,
        "license": testbed.image.license,
        "image_key": testbed.image.key,
        "interpreter": testbed.image.interpreter_version,
        "configuration": settings,
        "left_out_before_validation": left_out,
        **validation.summary(table, rejected),
        "dropped": provenance.rows(provenance.grouped(rejected)),
        "spent_s": {phase: {"wall": wall, "cpu": cpu} for phase, (wall, cpu) in spent.read().items()},
        "gold_resolved": evidence["gold_resolved"],
        "nop_resolved": evidence["nop_resolved"],
        "content_key": key,
    }
    write_atomic(out / "licenses" / f"{name}.txt", _license_text(testbed))
    write_atomic(provenance.path_of(table_path), json.dumps(facts, indent=1) + "\n")
    return facts


def _make(
    testbed: Testbed, config: SynthesisConfig, issues: Writing, work: Path, out: Path, place: Workplace
) -> tuple[TaskTable, list[RejectedCandidate], dict[str, int]]:
    """Tasks, the candidates that became none, and how many were left out before, by reason."""
    name, note = testbed.image.repo, work / "made.json"
    made_with = (config.strategies, config.created_at, config.limit, config.seed, config.issues, *_by_model(issues))
    asked = content_id(name, testbed.image.fingerprint, made_with)
    if (left_out := _left_out(note, asked)) is not None and out.is_file():
        return TaskTable.read(out), candidate_files.read_rejected(work / "rejected.jsonl"), left_out
    counts = generation.run(
        name, place.backend, config.strategies, work / "candidates.jsonl", limit=config.limit, seed=config.seed
    )
    job = validation.ValidationJob(
        candidate_files.read(work / "candidates.jsonl"),
        {name: testbed},
        out,
        work / "rejected.jsonl",
        ValidationSettings(config.created_at),
        issues,
        stamp_is_given=True,
    )
    table, rejected = validation.run(job, place)
    write_atomic(note, json.dumps({"asked": asked, "left_out": counts["rejected"]}, indent=1) + "\n")
    return table, rejected, counts["rejected"]


def _by_model(issues: Writing) -> list[dict[str, Any]]:
    """What else tells whether a table is made: the model that writes its statements, and how it is asked."""
    return [issues.settings] if issues.mode == "lm" else []


def _left_out(note: Path, asked: str) -> dict[str, int] | None:
    """How many candidates were left out before validation, by reason; None: what was asked for is not made."""
    try:
        found = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found.get("left_out") if isinstance(found, dict) and found.get("asked") == asked else None


def _verified(out: Path, name: str) -> bool:
    """The table is there, and its evidence is of this very table and shows no problem."""
    try:
        found = json.loads((out / f"{name}.verify.json").read_text())
        table = TaskTable.read(out / f"{name}.parquet")
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("table") == verify.identity(table) and found.get("problems") == []


def _license_text(testbed: Testbed) -> str:
    """Every licence file at the top of the tree, one after the other."""
    files = trees.contents(testbed.pristine)
    found = [path for path in files if re.match(r"(licen[cs]e|copying|notice|authors)[^/]*$", path, re.IGNORECASE)]
    return "\n".join(f"==== {path}\n\n{files[path].decode(errors='replace')}" for path in sorted(found))


def _known(table: Path, key: str) -> dict[str, Any] | None:
    try:
        facts = provenance.read(table)
    except InputError:
        return None
    return facts if facts is not None and facts.get("content_key") == key else None


def _verify(table: TaskTable, config: SynthesisConfig, place: Workplace) -> dict[str, Any]:
    checks = []
    how = cast("Grading", config.grading)
    for check in verify.verify(
        list(table), place.executor, rounds=config.rounds, sandbox=place.backend.name, grading=how, warm=config.warm
    ):
        checks.append(check)
        place.progress(len(checks), 2 * config.rounds * len(table), "verify")
    return verify.evidence(table, checks, config.rounds, how, warm=config.warm)
