"""Shorter limits for attacks that take all the time they get: they show that a limit ends them, not how long it is.

What ends them, and what becomes of them then, is the same as in any episode. No other attack is played this way, and
nothing outside of the attack suite.
"""

from __future__ import annotations

from dataclasses import replace

from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.envs.testbeds import TaskTestbed
from swesmith_gym.records import TaskInstance
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import TaskTable

COMMAND_S = 20.0
"""For one command of the agent."""


def hurried(prepared: TaskTestbed) -> TaskTestbed:
    """The same task, whose tests have five times their usual time and five seconds: the control run needs one time."""
    image = prepared.testbed.image
    test = replace(image.test, timeout_s=min(image.test.timeout_s, 5 + 5 * image.suite_s))
    return replace(prepared, testbed=replace(prepared.testbed, image=replace(image, test=test)))


class HurriedEnv(BugFixEnv):
    """An episode under these limits. The caller closes it."""

    def __init__(self, task: TaskInstance, *, sandbox: str) -> None:
        """Raises: as `BugFixEnv`."""
        super().__init__(TaskTable([task]), instance_id=task.instance_id, sandbox=sandbox, command_timeout_s=COMMAND_S)

    def _begin(self, task: TaskInstance) -> tuple[TaskTestbed, Sandbox]:
        prepared, sandbox = super()._begin(task)
        return hurried(prepared), sandbox
