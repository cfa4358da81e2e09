"""How an episode or a grading ended, in one word, read from records that may come from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from swesmith_gym.records import Trajectory, Verdict

_FIELDS = frozenset(field.name for field in fields(Verdict))


def outcome(record: Trajectory | Verdict) -> str:
    """`fault`, `violation`, `resolved`, `unfinished` or `unresolved`: the first that applies."""
    if isinstance(record, Verdict):
        told: Mapping[str, Any] = {"fault": record.fault, "violation": record.violation}
    else:
        told = {**(record.steps[-1].info if record.steps else {}), **record.info}
        if told.get("unfinished"):
            return "unfinished"
        if not record.reward_valid:
            return "fault"
    for word in ("fault", "violation"):
        if told.get(word):
            return word
    return "resolved" if record.resolved else "unresolved"


def reason(record: Trajectory | Verdict) -> str:
    """What the violation or the fault was; empty where there was none."""
    if isinstance(record, Verdict):
        return record.fault or record.violation
    told = {**(record.steps[-1].info if record.steps else {}), **record.info}
    return str(told.get("fault") or told.get("violation") or "")


def verdict_of(trajectory: Trajectory) -> Verdict | None:
    """The verdict that the last step brought, as a record; None where it brought none."""
    raw = trajectory.steps[-1].info.get("verdict") if trajectory.steps else None
    if raw is None:
        raw = trajectory.info.get("verdict")
    if not isinstance(raw, Mapping):
        return raw if isinstance(raw, Verdict) else None
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items() if key in _FIELDS}
    return Verdict(**({"instance_id": trajectory.instance_id, "resolved": trajectory.resolved} | known))
