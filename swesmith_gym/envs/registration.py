"""Gymnasium ids: one for any table, and one for each task of a table."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

ENV_ID = "SWESmith/BugFix-v0"
_ENTRY_POINT = "swesmith_gym.envs.bugfix:BugFixEnv"
_VECTOR_ENTRY_POINT = "swesmith_gym.envs.vector:vector_entry_point"


def register() -> None:
    """Register `SWESmith/BugFix-v0`. Done by `import swesmith_gym`; harmless when repeated."""
    if ENV_ID not in gym.registry:
        gym.register(ENV_ID, entry_point=_ENTRY_POINT, vector_entry_point=_VECTOR_ENTRY_POINT)


def register_tasks(tasks: str | Path) -> list[str]:
    """Give each task of a table the id `SWESmith/<instance_id>-v0`; returns the ids in the table's order.

    Only the ids are read. The registry is filled directly: `gymnasium.register` looks through all ids for each new
    one, which makes 50,000 of them a matter of minutes. Raises: TaskTableError.
    """
    from swesmith_gym.tasks import parquet

    ids = []
    for instance_id in parquet.read_ids(Path(tasks)):
        spec = EnvSpec(
            id=f"SWESmith/{instance_id}-v0",
            entry_point=_ENTRY_POINT,
            vector_entry_point=_VECTOR_ENTRY_POINT,
            kwargs={"tasks": str(tasks), "instance_id": instance_id},
        )
        gym.registry[spec.id] = spec
        ids.append(spec.id)
    return ids
