"""Predictions in the field's format: `{instance_id, model_patch, model_name_or_path}`, as JSON Lines or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swesmith_gym.errors import InputError
from swesmith_gym.tasks import TaskTable


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's patch for one task."""

    instance_id: str
    model_patch: str
    """Unified diff of the agent's tree; empty: nothing was done."""
    model_name_or_path: str


def read(source: str, tasks: TaskTable) -> list[Prediction]:
    """Predictions from a file, or for the words `gold` and `nop` those of every task.

    Raises: InputError (no such file, malformed, with the line; an id twice), TaskNotFound.
    """
    if source in ("gold", "nop"):
        return [Prediction(t.instance_id, t.gold_patch if source == "gold" else "", source) for t in tasks]
    path = Path(source)
    if not path.is_file():
        raise InputError(f"{source}: no such file; give predictions as JSON Lines or JSON, or the word gold or nop")
    found: dict[str, Prediction] = {}
    for where, row in _rows(path):
        prediction = _prediction(row, where)
        tasks.get(prediction.instance_id)
        if prediction.instance_id in found:
            raise InputError(f"{where}: a second prediction for {prediction.instance_id}")
        found[prediction.instance_id] = prediction
    return list(found.values())


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error})") from error
    try:
        whole = json.loads(text)
    except ValueError:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    yield f"{path} line {number}", json.loads(line)
                except ValueError as error:
                    raise InputError(f"{path} line {number}: not JSON ({error})") from error
        return
    if isinstance(whole, dict) and "instance_id" not in whole:
        whole = list(whole.values())
    for number, row in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield f"{path} entry {number}", row


def _prediction(row: Any, where: str) -> Prediction:
    if not isinstance(row, dict) or not isinstance(row.get("instance_id"), str):
        raise InputError(f"{where}: a prediction is an object with instance_id, model_patch and model_name_or_path")
    patch = row.get("model_patch")
    if patch is not None and not isinstance(patch, str):
        raise InputError(f"{where}: model_patch must be text")
    return Prediction(row["instance_id"], patch or "", str(row.get("model_name_or_path", "unknown")))
