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
    from swesmith_gym.tasks.starter import starter_tasks
    from swesmith_gym.tasks.table import TaskTable

__version__ = "0.1.0"

__all__ = ["BugFixEnv", "TaskTable", "__version__", "errors", "grade", "make_vec", "register_tasks", "starter_tasks"]

_LAZY = {
    "BugFixEnv": "swesmith_gym.envs.bugfix",
    "TaskTable": "swesmith_gym.tasks.table",
    "grade": "swesmith_gym.envs.grading",
    "make_vec": "swesmith_gym.envs.vector",
    "starter_tasks": "swesmith_gym.tasks.starter",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


register()
