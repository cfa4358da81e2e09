"""Process 1's program as a sandbox shows it: copied, and compiled for the interpreter that runs it.

Compiled once per state folder: reading source at every start would take longer than all the rest of the start.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from swesmith_gym.errors import SandboxUnavailable
from swesmith_gym.home import home
from swesmith_gym.records import content_id
from swesmith_gym.sandboxes import inside, roots
from swesmith_gym.sandboxes.runs import remove_tree

TOOLS = "/opt/sandbox"
"""Where process 1 finds its program."""
INTERPRETER = "/opt/sandbox-python"
"""Where the interpreter's prefix is shown when the host has none in `/usr`."""
SYSTEM = Path("/usr/bin/python3")
ARGUMENTS = ("-I", "-S", "-B", "-c", f"import sys; sys.path.insert(0, '{TOOLS}'); from inside.main import main; main()")
"""Of the interpreter that runs process 1."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What runs process 1."""

    inside: str
    """Its path in the sandbox."""
    compiler: Path | None
    """Interpreter of this host that makes byte code for it; None: there is none of that version."""
    prefix: Path | None = None
    """Folder that must be shown at `INTERPRETER`; None: it lies in the root file system."""


@cache
def interpreter(root_fs: str = roots.HOST) -> Interpreter:
    """The root file system's Python; where the host has none in `/usr`, the one that this program runs on.

    Raises: InputError (no such root file system).
    """
    if root_fs != roots.HOST:
        return _of_portable(roots.load(root_fs))
    if SYSTEM.exists():
        return Interpreter(str(SYSTEM), SYSTEM)
    prefix = Path(sys.base_prefix)
    name = f"bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    return Interpreter(f"{INTERPRETER}/{name}", prefix / name, prefix)


def _of_portable(root: roots.RootFs) -> Interpreter:
    """A foreign program is not run on the host: one of the same version compiles for it, or nothing is compiled."""
    minor = root.python_version.rpartition(".")[0]
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    known = Path(sys.executable) if own == minor else Path(f"/usr/bin/python{minor}")
    return Interpreter(root.python, known if known.exists() else None)


def command(root_fs: str = roots.HOST) -> list[str]:
    """What starts process 1."""
    return [interpreter(root_fs).inside, *ARGUMENTS]


def texts() -> dict[str, bytes]:
    """The program's source: file name -> content."""
    return {path.name: path.read_bytes() for path in sorted(Path(inside.__file__).parent.glob("*.py"))}


def folder(root_fs: str = roots.HOST) -> Path:
    """The folder to show at `TOOLS`, made when it is not there yet. Raises: OSError, SandboxUnavailable, InputError."""
    return _folder(home(), interpreter(root_fs))


@cache
def _folder(state: Path, found: Interpreter) -> Path:
    sources = texts()
    changed = found.compiler.stat().st_mtime_ns if found.compiler else 0
    target = state / "rootfs" / f"init-{content_id(sources, str(found.compiler), changed)[:16]}"
    if not target.is_dir():
        _make(target, sources, found)
    return target


def _make(target: Path, sources: dict[str, bytes], found: Interpreter) -> None:
    """Fill a sibling and rename it: another process may do the same at the same time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".init-", dir=target.parent))
    package = fresh / "inside"
    package.mkdir()
    for name, content in sources.items():
        (package / name).write_bytes(content)
    try:
        _compile(package, found.compiler)
    except SandboxUnavailable:
        remove_tree(fresh)
        raise
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    try:
        fresh.rename(target)
    except OSError:
        remove_tree(fresh)


def _compile(package: Path, compiler: Path | None) -> None:
    if compiler is None:
        return
    words = [str(compiler), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(package)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxUnavailable(f"{compiler} cannot compile process 1's program: {done.stdout.strip()}")
