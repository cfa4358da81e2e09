"""Agents by name, as `--agent` takes them: a built-in one, or `MODULE:CLASS`."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path

from swesmith_gym.agents.base import AgentFactory
from swesmith_gym.agents.builtin import GoldAgent, NopAgent, RandomAgent
from swesmith_gym.errors import InputError

_BUILTIN: dict[str, AgentFactory] = {
    "gold": lambda task, seed: GoldAgent(task.gold_patch),
    "nop": lambda task, seed: NopAgent(),
    "random": lambda task, seed: RandomAgent(seed),
}


def factory(name: str) -> AgentFactory:
    """What makes the agent called `name`. A `MODULE:CLASS` is imported from the current folder too, and made anew,
    without arguments, for each episode. Raises: InputError.
    """
    if name in _BUILTIN:
        return _BUILTIN[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        raise InputError(f"unknown agent {name!r}: give one of {', '.join(_BUILTIN)}, or MODULE:CLASS")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        made = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:  # foreign code: what runs on import may raise anything
        raise InputError(f"the agent {name!r} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(getattr(made, "run", None)):
        raise InputError(f"the agent {name!r} has no method run(session)")
    try:
        inspect.signature(made).bind()
    except TypeError as error:
        raise InputError(f"the agent {name!r} cannot be made without arguments: {error}") from error
    return lambda task, seed: made()
