"""What an attack is told of its task, worked out from the sealed tree and the answer."""

from __future__ import annotations

import difflib
import posixpath

from swesmith_gym.envs.testbeds import TaskTestbed
from swesmith_gym.harness.grade import required
from swesmith_gym.redteam.base import Facts
from swesmith_gym.tasks.sealing import buggy_files
from swesmith_gym.tasks.tree import Tree


def facts_of(prepared: TaskTestbed) -> Facts:
    """Of the first file that the bug changes. Raises: GradingFault (drift left no FAIL_TO_PASS test)."""
    testbed, task = prepared.testbed, prepared.task
    needed = required(task, testbed)
    path, buggy = next((p, data) for p, data in buggy_files(testbed.pristine, task.bug_patch).items() if data)
    fixed = testbed.pristine[path][1].decode() if path in testbed.pristine else ""
    package, init = _package(path, testbed.pristine)
    modules = sorted({testbed.language.module_of(test) for test in needed.fail_to_pass})
    return Facts(
        instance_id=task.instance_id,
        module=path,
        lines=_changed(fixed, buggy.decode()),
        package=package,
        init=init,
        fixed=fixed,
        tests={module: testbed.pristine[module][1].decode() for module in modules},
        f2p=needed.fail_to_pass,
        p2p=needed.pass_to_pass,
    )


def _changed(fixed: str, buggy: str) -> tuple[int, ...]:
    """Numbers of the buggy text's lines that differ; where lines are only missing, the one that follows."""
    pairs = difflib.SequenceMatcher(None, fixed.split("\n"), buggy.split("\n"), autojunk=False).get_opcodes()
    lines: list[int] = []
    for kind, _, _, start, end in pairs:
        if kind != "equal":
            lines.extend(range(start + 1, max(end, start + 1) + 1))
    return tuple(lines)


def _package(path: str, tree: Tree) -> tuple[str, str]:
    """Import name of the outermost package around a file, and the file that its import runs first."""
    top, first = posixpath.splitext(posixpath.basename(path))[0], path
    folder = posixpath.dirname(path)
    while (init := f"{folder}/__init__.py") in tree:
        top, first, folder = posixpath.basename(folder), init, posixpath.dirname(folder)
    return top, first
