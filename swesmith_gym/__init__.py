"""swesmith-gym: bug-fixing tasks synthesized from real repositories, as Gymnasium environments.

    import gymnasium as gym, swesmith_gym

    env = gym.make("SWESmith/BugFix-v0", tasks=swesmith_gym.starter_tasks())
    observation, info = env.reset(seed=0)

Importing this registers the environment and loads nothing beyond gymnasium and numpy; everything else is loaded on use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from swesmith_gym import errors
from swesmith_gym.envs.registration import register, register_tasks

if TYPE_CHECKING:
    from swesmith_gym.envs.bugfix import BugFixEnv
    from swesmith_gym.envs.grading import grade
    from swesmith_gym.envs.vector import make_vec
    from swesmith_gym.lm.base import LM, Completion, Request
    from swesmith_gym.lm.connection import LMSettings, connect
    from swesmith_gym.lm.scripted import ScriptedLM
    from swesmith_gym.tasks.starter import starter_tasks
    from swesmith_gym.tasks.table import TaskTable

__version__ = "0.1.0"

__all__ = [
    "LM",
    "BugFixEnv",
    "Completion",
    "LMSettings",
    "Request",
    "ScriptedLM",
    "TaskTable",
    "__version__",
    "connect",
    "errors",
    "grade",
    "make_vec",
    "register_tasks",
    "starter_tasks",
]

_LAZY = {
    "BugFixEnv": "swesmith_gym.envs.bugfix",
    "Completion": "swesmith_gym.lm.base",
    "LM": "swesmith_gym.lm.base",
    "LMSettings": "swesmith_gym.lm.connection",
    "Request": "swesmith_gym.lm.base",
    "ScriptedLM": "swesmith_gym.lm.scripted",
    "TaskTable": "swesmith_gym.tasks.table",
    "connect": "swesmith_gym.lm.connection",
    "grade": "swesmith_gym.envs.grading",
    "make_vec": "swesmith_gym.envs.vector",
    "starter_tasks": "swesmith_gym.tasks.starter",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


register()
