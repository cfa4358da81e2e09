"""Trajectories: episodes played by agents (`rollout`) and kept on disk (`store`)."""

from __future__ import annotations

from swesmith_gym.trajectories.rollout import RolloutSettings, rollout
from swesmith_gym.trajectories.store import TrajectoryStore

__all__ = ["RolloutSettings", "TrajectoryStore", "rollout"]
