"""The agents that need no model: gold, nop, random and scripted. They are the controls of every measurement."""

from __future__ import annotations

from collections.abc import Iterable

from swesmith_gym.agents.base import Session
from swesmith_gym.envs.spaces import Action, ActionSpace


class NopAgent:
    """Submits the tree as it is. Worth 0 on every sound task."""

    def run(self, session: Session) -> None:
        session.submit()


def applying(patch: str) -> str:
    """The command that lays a patch over the work tree."""
    end = "END_OF_GOLD_PATCH"
    return f"git apply --whitespace=nowarn - <<'{end}'\n{patch}{end}\n"


class GoldAgent:
    """Applies the gold patch with git, as a developer would, and submits. Worth 1 on every sound task."""

    def __init__(self, gold_patch: str) -> None:
        self._gold_patch = gold_patch

    def run(self, session: Session) -> None:
        session.step(applying(self._gold_patch))
        session.submit()


class ScriptedAgent:
    """Takes the given actions one after the other, then submits."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._actions = tuple(actions)

    def run(self, session: Session) -> None:
        for action in self._actions:
            if session.done:
                return
            session.step(action)
        session.submit()


class RandomAgent:
    """Draws `steps` harmless actions by its seed, then submits: a load without a model."""

    def __init__(self, seed: int, steps: int = 5) -> None:
        self._seed, self._steps = seed, steps

    def run(self, session: Session) -> None:
        space = ActionSpace(seed=self._seed)
        ScriptedAgent([space.sample() for _ in range(self._steps)]).run(session)
