"""What of ours is in a deployment: the program, and the folders of a spec, sent when they are not there yet.

How they lie there is the business of `inside.place`.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from swesmith_gym.errors import SandboxDied, SandboxUnavailable, SandboxUnsupported
from swesmith_gym.records import content_id
from swesmith_gym.sandboxes import program
from swesmith_gym.sandboxes.inside import folders
from swesmith_gym.sandboxes.swerex.config import VARIABLE
from swesmith_gym.sandboxes.swerex.deployment import Deployment

STORE = "/opt/.swesmith-gym"
"""Where everything of ours lies in a deployment."""
PIECE = 16 << 20
"""Bytes before they are packed; a file that is larger goes alone."""
UNPACK_S = 280.0
OLDEST = (3, 8)

_LOOK = """
import json, os, sys
store, program = sys.argv[1:]
answer = {"python": sys.executable, "version": sys.version_info[:2], "library": os.environ.get("LD_LIBRARY_PATH", "")}
try:
    os.umask(0o022)
    os.makedirs(store, exist_ok=True)
    os.makedirs(store + "/in", 0o700, exist_ok=True)
    answer["there"] = os.geteuid() == 0 and os.path.isdir(store + "/" + program)
except OSError as error:
    answer["refused"] = "%s: %s" % (error.filename, error.strerror)
print(json.dumps(answer))
"""
_INSTALL = """
import base64, io, os, shutil, sys, tarfile
target = sys.argv[1]
os.umask(0o022)
fresh = target + ".new"
shutil.rmtree(fresh, ignore_errors=True)
tarfile.open(fileobj=io.BytesIO(base64.b64decode(os.environ["PROGRAM"]))).extractall(fresh)
shutil.rmtree(target, ignore_errors=True)
os.rename(fresh, target)
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sandbox is arranged: `inside.place` and `inside.listen` say what the fields mean."""

    home: str
    user: int
    alone: bool
    isolates: bool
    idle_s: float
    shown: Mapping[str, Path]
    """Path inside -> folder here that is shown there."""
    copied: Mapping[str, Path]
    """The same for those that are written."""
    links: Mapping[str, str] = field(default_factory=dict)

    def text(self, program: str) -> str:
        found = {name: getattr(self, name) for name in ("home", "user", "alone", "isolates", "idle_s")}
        found |= {"store": STORE, "program": program, "links": dict(self.links)}
        found["shown"] = {path: digest(folder) for path, folder in self.shown.items()}
        found["copied"] = {path: digest(folder) for path, folder in self.copied.items()}
        return json.dumps(found)


class Site:
    """Our program in a deployment that has been started. Made for one sandbox."""

    def __init__(self, deployment: Deployment, python: str) -> None:
        """Raises: SandboxUnavailable, SandboxUnsupported, SandboxDied."""
        self.deployment = deployment
        self._program = _program()[0]
        try:
            answer = json.loads(deployment.run([python, "-I", "-S", "-c", _LOOK, STORE, self._program], {}))
        except SandboxDied as error:
            raise SandboxUnavailable(str(error), fix=f"${VARIABLE}, and a server that runs there") from None
        if tuple(answer["version"]) < OLDEST:
            found = ".".join(map(str, answer["version"]))
            raise SandboxUnavailable(
                f"Python {found} in the SWE-ReX deployment is older than 3.8", fix=f'"python" in ${VARIABLE}'
            )
        if "refused" in answer:
            raise _not_writable(answer["refused"])
        self._python: str = answer["python"] or python
        self._env = {"LD_LIBRARY_PATH": answer["library"]} if answer["library"] else {}
        if not answer["there"]:
            self.run_text(_INSTALL, [f"{STORE}/{self._program}"], {"PROGRAM": _program()[1]})

    def run_text(self, text: str, words: list[str], env: Mapping[str, str], limit_s: float = 60.0) -> str:
        """Run Python code there. Raises: SandboxDied, SandboxUnavailable."""
        command = [self._python, "-I", "-S", "-c", text, *words]
        return self.deployment.run(command, {**self._env, **env}, limit_s)

    def _call(self, module: str, function: str, env: Mapping[str, str], limit_s: float) -> str:
        text = f"import sys; sys.path.insert(0, sys.argv[1]); from inside.{module} import {function} as act; act()"
        return self.run_text(text, [f"{STORE}/{self._program}"], env, limit_s)

    def bridge(self, verb: str, wait_s: float, most: int) -> list[str]:
        """The program that makes one call of the keeper."""
        script = f"{STORE}/{self._program}/inside/bridge.py"
        wait_ms = str(int(wait_s * 1000))
        return [self._python, "-I", "-S", "-B", script, f"{STORE}/run/socket", verb, wait_ms, str(most)]

    def env(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a program there."""
        return {**self._env, **more}

    def arrange(self, plan: Plan) -> bool:
        """Everything that the plan says, with process 1 and its keeper. True: commands run as a user of their own.

        Raises: SandboxUnsupported, SandboxUnavailable, SandboxDied, OSError.
        """
        text = plan.text(self._program)
        answer = self._begin(text)
        if missing := set(answer.get("missing", ())):
            places = {digest(folder): folder for folder in (*plan.shown.values(), *plan.copied.values())}
            for each in sorted(missing):
                self._send(places[each], each)
            answer = self._begin(text)
        if "refused" in answer:
            raise _refused(answer["refused"], plan)
        if "missing" in answer:
            raise SandboxDied("the SWE-ReX deployment lost folders that were sent to it")
        return bool(answer["separate"])

    def _begin(self, plan: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._call("listen", "main", {"PLAN": plan}, UNPACK_S))
        return found

    def _send(self, folder: Path, wanted: str) -> None:
        name = secrets.token_hex(8)
        piece = {"store": STORE, "name": name, "digest": wanted, "path": f"{STORE}/in/{name}.tar"}
        for data, last in _pieces(folder):
            self.deployment.upload(data, piece["path"])
            self._call("folders", "take", {"PIECE": json.dumps({**piece, "last": last})}, UNPACK_S)


def _not_writable(what: str) -> SandboxUnsupported:
    return SandboxUnsupported(
        f"the user that SWE-ReX's server runs as in the deployment may not write /opt ({what}): run the server as root"
    )


def _refused(reason: str, plan: Plan) -> SandboxUnsupported:
    if reason == "busy":
        return SandboxUnsupported(
            "a sandbox is open in this SWE-ReX deployment, which has room for one; if its driver has died, it ends "
            f"within {plan.idle_s:g} s"
        )
    known = {
        "exposed": "its server's token stands among the server's arguments, which every process there can read",
        "same user": "its server does not run as root, so that commands have the rights of what watches them",
    }
    if reason in known:
        return SandboxUnsupported(
            f"the SWE-ReX deployment does not isolate, though ${VARIABLE} says so: {known[reason]}"
        )
    return SandboxUnsupported(f"the SWE-ReX deployment has no room for a sandbox: {reason}")


@cache
def _program() -> tuple[str, str]:
    """Content id of process 1's program, and its archive in base64."""
    texts = program.texts()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in texts.items():
            member = tarfile.TarInfo(f"inside/{name}")
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
    return content_id(texts)[: folders.ID_LENGTH], base64.b64encode(packed.getvalue()).decode()


def digest(folder: Path) -> str:
    """Content id of a folder, read once as long as the folder's own state is the same. Raises: OSError."""
    state = folder.stat()
    return _digest(folder, state.st_ino, state.st_ctime_ns)


@lru_cache(maxsize=256)
def _digest(folder: Path, _inode: int, _ctime_ns: int) -> str:
    return folders.digest(str(folder))


def forget() -> None:
    """Folders may hold something else now."""
    _digest.cache_clear()


def _pieces(folder: Path) -> Iterator[tuple[bytes, bool]]:
    """Archives of a folder, each whole by itself, and whether it is the last one.

    Folders come last, since one that is closed to writing could not be filled any more.
    """
    known = sorted(folders.entries(str(folder)), key=lambda entry: stat.S_ISDIR(entry[2].st_mode))
    archive, held = _Archive(), 0
    for path, name, state in known:
        if held and held + state.st_size > PIECE:
            yield archive.data(), False
            archive, held = _Archive(), 0
        archive.add(path, name, state.st_mode, state.st_mtime)
        held += state.st_size
    yield archive.data(), True


class _Archive:
    def __init__(self) -> None:
        self._packed = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._packed, mode="w:gz", compresslevel=1)  # noqa: SIM115

    def add(self, path: str, name: str, mode: int, mtime: float) -> None:
        member = tarfile.TarInfo(name)
        member.mode, member.mtime = stat.S_IMODE(mode) & 0o777, mtime
        if stat.S_ISLNK(mode):
            member.type, member.linkname = tarfile.SYMTYPE, str(Path(path).readlink())
            self._tar.addfile(member)
        elif stat.S_ISDIR(mode):
            member.type = tarfile.DIRTYPE
            self._tar.addfile(member)
        else:
            with open(path, "rb") as file:
                data = file.read()
            member.size = len(data)
            self._tar.addfile(member, io.BytesIO(data))

    def data(self) -> bytes:
        self._tar.close()
        return self._packed.getvalue()
