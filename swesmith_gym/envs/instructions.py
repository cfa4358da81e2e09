"""What an agent is told when an episode begins."""

from __future__ import annotations

from swesmith_gym.records import TaskInstance
from swesmith_gym.sandboxes.base import WORKDIR

_TEXT = """You are working on a software repository that lies in {workdir}. It has a bug:

<issue>
{statement}
</issue>

Find the cause and correct it in the code of the repository, without changing its tests. You can run shell commands and
edit files; the shell keeps its working directory and variables. There is no network. When you are done, call the
`submit` tool: your changes are then judged by tests that you do not see."""


def first_observation(task: TaskInstance) -> str:
    """The text that `reset` gives."""
    return _TEXT.format(workdir=WORKDIR, statement=task.problem_statement.strip())
