"""The leak scan of a task table: every task in its sealed environment, searched for all that would give it away.

What all tasks of an image share is searched once for all of them, and a root file system once for all images that see
the same of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from swesmith_gym.envs.instructions import first_observation
from swesmith_gym.envs.testbeds import TaskTestbed, prepare
from swesmith_gym.evaluation.verify import identity
from swesmith_gym.executors import Executor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.issues.leaks import leaks
from swesmith_gym.records import TaskInstance
from swesmith_gym.sandboxes.base import Sandbox
from swesmith_gym.tasks import TaskTable, sealing
from swesmith_gym.tasks.scan import LEAKS, Finding, content, look, repository, surroundings, times
from swesmith_gym.tasks.scan.look import Answer, Pass
from swesmith_gym.tasks.scan.needles import Corpus, Wanted, wanted

SHARES = 4
"""Parts that the root file system is searched in, so that several workers have something to do."""


@dataclass(frozen=True, slots=True)
class Searched:
    """One part of the scan that has ended."""

    part: str
    """A task's id, the key of an image, or `root file system`."""
    findings: tuple[Finding, ...]
    files: int
    """Files looked into."""
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task that is ready to be searched, with what to look for."""

    ready: TaskTestbed
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class _Shared:
    """A pass over files that many tasks see."""

    part: str
    testbed: Testbed
    where: Pass
    wanted: tuple[Wanted, ...]


def scan(tasks: Sequence[TaskInstance], executor: Executor, *, sandbox: str) -> Iterator[Searched]:
    """Each task, then what they share, as the parts end; findings are in no particular order.

    Raises: SandboxError, SandboxUnavailable, ProfileError, TaskTableError, PatchDoesNotApply.
    """
    corpora: dict[str, Corpus] = {}
    known: dict[str, Prepared] = {}

    def one(task: TaskInstance) -> tuple[Prepared, Searched]:
        ready = prepare(task, backend=sandbox)
        item = prepared(ready, corpora)
        return item, search_task(item)

    for done in executor.map(one, tasks):
        item, searched = done.value
        known[item.ready.task.instance_id] = item
        yield searched
    yield from (done.value for done in executor.map(_search_shared, _shared(list(known.values()))))


def parts(tasks: Sequence[TaskInstance]) -> int:
    """How many parts the scan of these tasks has at least, for progress."""
    return len(tasks) + len({task.image_key for task in tasks}) * 2 + SHARES


def prepared(ready: TaskTestbed, corpora: dict[str, Corpus] | None = None) -> Prepared:
    """What to look for on behalf of a task. `corpora`: trees that were read before, by image, and are kept here."""
    testbed = ready.testbed
    known = {} if corpora is None else corpora
    corpus = known.get(testbed.image.key)
    if corpus is None:
        corpus = known[testbed.image.key] = Corpus(testbed.pristine, testbed.language)
    return Prepared(ready, wanted(ready.task, testbed.pristine, ready.sealed.tree, corpus, testbed.language))


def start(item: Prepared) -> Sandbox:
    """A sandbox as an episode of the task gets it. The caller closes it. Raises: SandboxDied, SandboxUnavailable."""
    return item.ready.testbed.backend.start(look.with_room(item.ready.spec))


def search_task(item: Prepared) -> Searched:
    """The task's own places, its row of the table, and what surrounds it. Raises: SandboxError.

    Times and inodes of files that were written one after the other are apart by chance where the host is busy with
    others: what they tell counts if a tree that is written anew tells it as well.
    """
    with start(item) as sandbox:
        found = search_in(item, sandbox)
    told = {finding for finding in found.findings if finding.leak == "L17"}
    if not told:
        return found
    ready = item.ready
    with sealing.written(ready.sealed, ready.testbed.backend, ready.testbed.spec) as tree:
        anew = replace(item, ready=replace(ready, spec=replace(ready.spec, tree=tree)))
        with start(anew) as sandbox:
            chance = told.difference(search_in(anew, sandbox).findings)
    return replace(found, findings=tuple(each for each in found.findings if each not in chance))


def search_in(item: Prepared, sandbox: Sandbox) -> Searched:
    """The same in a sandbox that is there. Raises: SandboxError."""
    task = item.ready.task
    where = replace(look.OWN, names=surroundings.telling_words(task))
    answer = look.look(sandbox, where, [item.wanted], item.ready.testbed.language)
    return Searched(task.instance_id, tuple(_judge(item, answer)), answer.files, answer.read_bytes)


def _judge(item: Prepared, answer: Answer) -> Iterator[Finding]:
    ready, task = item.ready, item.ready.task
    own = task.instance_id
    sealed = ready.sealed.tree
    edited = frozenset(item.wanted.files) | {path for path, _ in item.wanted.tests}
    yield from of_row(task, ready.testbed)
    yield from content.of_hits(answer, own)
    yield from content.of_tree(answer, sealed, own)
    yield from content.of_empty_places(answer, str(answer.around.get("home", "")), own)
    yield from repository.findings(answer.git, own)
    yield from times.of_entries(answer.entries, edited, own)
    yield from surroundings.of_names(answer.around, task)
    yield from surroundings.of_channels(answer.around, own)
    for path in answer.names:
        if not _natural(path, ready.testbed):
            yield Finding(own, "L16", path, "its name tells the task or the kind of bug")


def _natural(path: str, testbed: Testbed) -> bool:
    """The repository itself has a file or folder of that name."""
    inner = path.partition("/testbed/")[2]
    return bool(inner) and any(f"{name}/".startswith(inner.rstrip("/") + "/") for name in testbed.pristine)


def of_row(task: TaskInstance, testbed: Testbed) -> Iterator[Finding]:
    """What the table itself shows to the agent, and the form of the bug. Raises: PatchDoesNotApply."""
    for span in leaks(task.problem_statement, task.gold_patch):
        yield Finding(task.instance_id, "L15", "problem_statement", f"holds {span!r} of the fix")
    shown = first_observation(task)
    for test in task.FAIL_TO_PASS:
        if test in shown:
            yield Finding(task.instance_id, "L14", "first observation", f"names the test {test}")
    for word in surroundings.telling_words(task):
        if word in shown.lower():
            yield Finding(task.instance_id, "L16", "first observation", f"holds {word!r}")
    yield from times.of_patch(task, testbed.language)


def _shared(items: Sequence[Prepared]) -> list[_Shared]:
    """One pass for each image, and `SHARES` for each root file system, as the sandboxes of those images show it."""
    found: list[_Shared] = []
    for key in dict.fromkeys(item.ready.testbed.image.key for item in items):
        own = [item for item in items if item.ready.testbed.image.key == key]
        ids = tuple(item.ready.task.instance_id.lower() for item in own)
        found.append(
            _Shared(key, own[0].ready.testbed, replace(look.SHARED, names=ids), tuple(item.wanted for item in own))
        )
    for view in dict.fromkeys(_view(item) for item in items):
        own = [item for item in items if _view(item) == view]
        every = tuple(item.wanted for item in own)
        found += [
            _Shared("root file system", own[0].ready.testbed, replace(look.REST, part=(k, SHARES)), every)
            for k in range(SHARES)
        ]
    return found


def _view(item: Prepared) -> tuple[str, tuple[str, ...]]:
    """Which root file system a task's sandboxes show, and what of it they do not: copies of its own package."""
    spec = item.ready.testbed.spec
    return spec.root_fs, spec.covered


def search_image(item: Prepared) -> Searched:
    """The built environment of one task's image. Raises: SandboxError."""
    return _search_shared(_shared([item])[0])


def _search_shared(item: _Shared) -> Searched:
    testbed = item.testbed
    with testbed.backend.start(look.with_room(testbed.spec)) as sandbox:
        answer = look.look(sandbox, item.where, item.wanted, testbed.language)
    own = item.wanted[0].instance_id
    found = (
        *content.of_hits(answer, own),
        *(Finding(own, "L16", path, "its name tells a task") for path in answer.names),
        *content.of_caches(answer, own),
    )
    return Searched(item.part, found, answer.files, answer.read_bytes)


def evidence(table: TaskTable, chosen: Sequence[TaskInstance], searched: Sequence[Searched]) -> dict[str, Any]:
    """What is kept beside a table: how much was searched, and every finding."""
    findings = sorted({finding for each in searched for finding in each.findings})
    return {
        "table": identity(table),
        "tasks": len(table),
        "tasks_scanned": len(chosen),
        "files": sum(each.files for each in searched),
        "bytes": sum(each.read_bytes for each in searched),
        "leaks": {leak: sum(finding.leak == leak for finding in findings) for leak in LEAKS},
        "findings": [asdict(finding) for finding in findings],
    }
