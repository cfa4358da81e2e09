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
from swesmith_gym.sandboxes import inside
from swesmith_gym.sandboxes.runs import remove_tree

TOOLS = "/opt/sandbox"
"""Where process 1 finds its program."""
INTERPRETER = "/opt/sandbox-python"
"""Where the interpreter's prefix is shown when the host has none in `/usr`."""
SYSTEM = Path("/usr/bin/python3")
_START = f"import sys; sys.path.insert(0, '{TOOLS}'); from inside.main import main; main()"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What runs process 1."""

    inside: str
    """Its path in the sandbox."""
    host: Path
    """Its path on the host."""
    prefix: Path | None = None
    """Folder that must be shown at `INTERPRETER`; None: it lies in `/usr`."""


@cache
def interpreter() -> Interpreter:
    """The system's Python where there is one, else the one that this program runs on."""
    if SYSTEM.exists():
        return Interpreter(str(SYSTEM), SYSTEM)
    prefix = Path(sys.base_prefix)
    name = f"bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    return Interpreter(f"{INTERPRETER}/{name}", prefix / name, prefix)


def command() -> list[str]:
    """What starts process 1."""
    return [interpreter().inside, "-I", "-S", "-B", "-c", _START]


def folder() -> Path:
    """The folder to show at `TOOLS`, made when it is not there yet. Raises: OSError, SandboxUnavailable."""
    return _folder(home(), interpreter())


@cache
def _folder(state: Path, found: Interpreter) -> Path:
    sources = {path.name: path.read_bytes() for path in sorted(Path(inside.__file__).parent.glob("*.py"))}
    changed = found.host.stat().st_mtime_ns
    target = state / "rootfs" / f"init-{content_id(sources, str(found.host), changed)[:16]}"
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
    compile_all = ["-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(package)]
    done = subprocess.run([found.host, *compile_all], capture_output=True, text=True, check=False)
    if done.returncode:
        remove_tree(fresh)
        raise SandboxUnavailable(f"{found.host} cannot compile process 1's program: {done.stdout.strip()}")
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    try:
        fresh.rename(target)
    except OSError:
        remove_tree(fresh)
