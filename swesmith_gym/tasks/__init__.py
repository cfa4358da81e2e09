"""The task table and the sealed trees that its rows stand for."""

from __future__ import annotations

from swesmith_gym.tasks.table import TaskTable

__all__ = ["TaskTable"]
