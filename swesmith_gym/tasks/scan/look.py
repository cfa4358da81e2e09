"""One pass of the search through a sandbox: the order that goes in, the answer that comes out, read strictly.

The program inside is foreign ground once it runs: whatever it prints is data, and anything malformed is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swesmith_gym.errors import SandboxError
from swesmith_gym.languages.base import Language
from swesmith_gym.sandboxes.base import WORKDIR, Sandbox, SandboxSpec
from swesmith_gym.tasks.scan.needles import Wanted

EMPTY = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/home", "/mnt", "/media", "/srv")
"""Folders that hold nothing when an episode begins."""
IMAGE = ("/opt",)
"""Where the built environment is: the same for all tasks of an image."""
CACHES = r"^(\.\w+_cache|htmlcov|\.coverage.*|\.tox|\.nox|\.hypothesis|_build|.*\.(orig|rej)|.*\.egg-info)$"
"""Names of what tools leave behind. In an image nothing has a use for them."""
NOT_FILES = ("/proc", "/sys", "/dev")
TIMEOUT_S = 900.0
MAX_ANSWER = 64 << 20
MAX_HITS = 10_000
_INSIDE = Path(__file__).parent / "inside"
_PARTS = ("wrappings", "files", "search", "repository", "surroundings", "main")
_HOME = "swesmith_gym.tasks.scan.inside"

_START = """
import json, sys, types
order = json.loads(sys.stdin.buffer.read())
def load(name, text):
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        known = ".".join(parts[:count])
        if known not in sys.modules:
            sys.modules[known] = types.ModuleType(known)
            sys.modules[known].__path__ = []
            if count > 1:
                setattr(sys.modules[".".join(parts[:count - 1])], parts[count - 1], sys.modules[known])
    exec(compile(text, name, "exec"), sys.modules[name].__dict__)
    return sys.modules[name]
for name, text in order["program"]:
    last = load(name, text)
last.run(order, load("copies", order["copies"]))
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A content that holds something that was looked for."""

    owner: str
    """Id of the task; empty: whosever byte code of the work tree."""
    kind: str
    """`code`, `test`, `byte code`, `tree byte code`, `test id`, `word` or `diff`."""
    place: str
    """Path inside; `!` in front of what is packed in it."""
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, link or folder (`/` at the end) of the work tree, as `lstat` shows it."""

    path: str
    mode: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    sha256: str
    """Of the content; of a link, of its target; empty for a folder."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one pass has seen."""

    hits: tuple[Hit, ...]
    entries: tuple[Entry, ...]
    names: tuple[str, ...]
    """Files whose names hold a word that tells the task."""
    caches: tuple[str, ...]
    """Caches and left-overs of tools, by their names; each once, with the folder's name where it is a folder."""
    git: dict[str, list[str]]
    around: dict[str, Any]
    left: tuple[str, ...]
    """What lies in `EMPTY`."""
    files: int
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Pass:
    """Where to look, and for what."""

    roots: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    inside_tree: bool = False
    """The pass over a task's own places: with what git and the surroundings tell."""
    part: tuple[int, int] = (0, 1)
    """(k, n): the k-th of n shares of the files."""
    names: tuple[str, ...] = ()
    """Lower-case words that no file's name may hold."""


OWN = Pass((WORKDIR, *EMPTY), inside_tree=True)
SHARED = Pass(IMAGE)
REST = Pass(("/",), (WORKDIR, *IMAGE, *EMPTY, *NOT_FILES))


def with_room(spec: SandboxSpec) -> SandboxSpec:
    """The spec of an episode, but for the output that one command may print."""
    return replace(spec, limits=replace(spec.limits, output_bytes=2 * MAX_ANSWER))


def look(sandbox: Sandbox, where: Pass, wanted: Sequence[Wanted], language: Language) -> Answer:
    """Carry out one pass. Raises: SandboxError (the search did not end, or printed nonsense), SandboxDied."""
    asked = json.dumps(order(where, wanted, language)).encode()
    done = sandbox.run(f"exec python3 -I -S -B -c '{_START}'", timeout_s=TIMEOUT_S, stdin=asked, cwd="/")
    if done.exit_code != 0 or done.output_truncated:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise SandboxError(f"the search for leaks did not end (exit code {done.exit_code}): {said}")
    try:
        return _read(json.loads(done.stdout), {each.instance_id for each in wanted})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SandboxError(f"the search for leaks printed nonsense: {error}") from error


def order(where: Pass, wanted: Iterable[Wanted], language: Language) -> dict[str, Any]:
    """What goes in, as JSON."""
    found = list(wanted)
    here = ("tree", "rest", "all") if where.inside_tree else ("rest", "all")
    program = [(f"{_HOME}.{name}", (_INSIDE / f"{name}.py").read_text(encoding="utf-8")) for name in _PARTS]
    return {
        "program": program,
        "copies": language.copies.read_text(encoding="utf-8"),
        "roots": where.roots,
        "skipped": where.skipped,
        "part": where.part,
        "facts": where.inside_tree,
        "tree": WORKDIR,
        "empty": EMPTY,
        "names": where.names,
        "deep": where != replace(REST, part=where.part),
        "caches": CACHES if where.roots == IMAGE else "",
        "needles": [
            {"owner": w.instance_id, "kind": n.kind, "tokens": n.tokens, "exact": n.exact, "where": n.where}
            for w in found
            for n in w.needles
            if n.where in here
        ],
        "originals": [
            {"owner": w.instance_id, "source": o.source, "names": o.names} for w in found for o in w.originals
        ],
        "shapes": [{"owner": w.instance_id, "name": name, "shape": shape} for w in found for name, shape in w.shapes],
        "tests": [{"owner": w.instance_id, "path": path, "name": name} for w in found for path, name in w.tests],
        "words": [{"owner": w.instance_id, "word": word} for w in found for word in w.words],
        "lines": [{"owner": w.instance_id, "file": file, "lines": w.lines} for w in found for file in w.files],
    }


def _read(data: Any, owners: set[str]) -> Answer:
    """Raises: ValueError, TypeError, KeyError."""
    if len(data["hits"]) > MAX_HITS:
        raise ValueError(f"more than {MAX_HITS} hits")
    hits = tuple(Hit(*map(_text, row)) for row in data["hits"])
    strange = {hit.owner for hit in hits} - owners - {""}
    if strange:
        raise ValueError("a hit for a task that was not asked for")
    facts = data["facts"]
    return Answer(
        hits=hits,
        entries=tuple(map(_entry, data["entries"])),
        names=tuple(map(_text, data["names"])),
        caches=tuple(map(_text, data["caches"])),
        git={_text(key): list(map(_text, value)) for key, value in facts.get("git", {}).items()},
        around=dict(facts.get("around", {})),
        left=tuple(map(_text, facts.get("home", []))),
        files=_number(data["files"]),
        read_bytes=_number(data["bytes"]),
    )


def _entry(row: list[Any]) -> Entry:
    path, mode, mtime_ns, ctime_ns, inode, device, sha256 = row
    return Entry(
        path=_text(path),
        mode=_number(mode),
        mtime_ns=_number(mtime_ns),
        ctime_ns=_number(ctime_ns),
        inode=_number(inode),
        device=_number(device),
        sha256=_text(sha256),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r:.40}")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"not a number: {value!r:.40}")
    return value
