"""A task to plant leaks in: in an episode of it, and in a copy of its image."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from swesmith_gym.envs.testbeds import prepare
from swesmith_gym.evaluation import scan
from swesmith_gym.evaluation.scan import Prepared
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import TaskTable


@dataclass(frozen=True)
class Stage:
    """One task, and the facts of it that a program that plants begins with."""

    item: Prepared
    facts: dict[str, object]

    def plant(self, sandbox: Sandbox, *program: str) -> None:
        facts = (f"{name} = {value!r}" for name, value in self.facts.items())
        done = sandbox.run("python3 -", stdin="\n".join([*facts, *program]).encode())
        assert done.exit_code == 0, done.stderr.decode()

    @contextmanager
    def image(self, folder: Path, targets: tuple[str, ...], *program: str) -> Iterator[Prepared]:
        """The task in an image whose mounts at the targets are copies with something planted."""
        ready = self.item.ready
        backend, spec = ready.testbed.backend, ready.testbed.spec
        mounts = [mount for mount in spec.mounts if mount.target not in targets]
        copies = []
        for number, mount in enumerate(mount for mount in spec.mounts if mount.target in targets):
            shutil.copytree(mount.source, folder / str(number), symlinks=True)
            backend.own(folder / str(number))
            copies.append(replace(mount, source=folder / str(number)))
        writable = (replace(copy, writable=True) for copy in copies)
        with backend.start(replace(spec, mounts=(*mounts, *writable))) as sandbox:
            self.plant(sandbox, *program)
        for copy in copies:
            backend.fetch(copy.source)
        testbed = replace(ready.testbed, spec=replace(spec, mounts=(*mounts, *copies)))
        yield replace(self.item, ready=replace(ready, testbed=testbed))
        for copy in copies:
            backend.remove_tree(copy.source)


def stage_of(tasks: TaskTable) -> Stage:
    task = next(each for each in tasks if "clamp" in each.FAIL_TO_PASS[0])
    ready = prepare(task, backend="auto")
    path = "src/abacus/numbers.py"
    original = ready.testbed.pristine[path][1].decode()
    function = next(
        ast.get_source_segment(original, node) or ""
        for node in ast.parse(original).body
        if isinstance(node, ast.FunctionDef) and node.name == "clamp"
    )
    facts: dict[str, object] = {
        "ORIGINAL": original,
        "BUGGY": ready.sealed.tree[path][1].decode(),
        "FUNCTION": function + "\n",
        "PATH": path,
        "PATCH": task.gold_patch,
        "TEST_FILE": ready.testbed.pristine["tests/test_numbers.py"][1].decode(),
        "TESTS": list(task.FAIL_TO_PASS),
        "ID": task.instance_id,
        "OPERATOR": task.operator,
    }
    return Stage(scan.prepared(ready), facts)
