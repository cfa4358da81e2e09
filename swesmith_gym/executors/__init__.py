"""Executors: run one function over many items and give results as they finish."""

from __future__ import annotations

from swesmith_gym.executors.base import Done, Executor
from swesmith_gym.executors.local import LocalExecutor, SerialExecutor

__all__ = ["Done", "Executor", "LocalExecutor", "SerialExecutor"]
