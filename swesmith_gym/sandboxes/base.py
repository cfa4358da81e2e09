"""The sandbox contract: where untrusted code runs, with every promise, unit and error named.

A backend (`SandboxBackend`) says what it can do on this host and starts sandboxes. A sandbox is one private
copy of a work tree at `/testbed` with processes of its own. Every backend passes the same conformance suite.

Promises of every sandbox
- What runs inside sees `/testbed` (writable, a private copy on write), `/tmp` and `/dev/shm` (private, empty
  at start), the read-only mounts of its spec, a host name `sandbox`, a cleared environment plus the spec's, uid 1000.
- The lower tree and the mounts are never changed; nothing is written outside the sandbox's own folder.
- A limit that a command hits (memory, processes, output, time, CPU time) ends that command, not the sandbox.
- After `close` no process, mount, cgroup or temporary file of it is left. `close` may be called twice.
- If the driver dies, the sandbox ends by itself.

Not promised: safety against bugs of the kernel. Not thread-safe: one driver thread at a time uses a sandbox;
different sandboxes may be used from different threads. Sandboxes do not pickle; specs do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from swesmith_gym.errors import SandboxUnsupported
from swesmith_gym.records import ExecResult, FileChange, FileEntry
from swesmith_gym.sandboxes import roots

WORKDIR = "/testbed"
"""The work tree inside every sandbox, on every backend."""

Network = Literal["none", "index", "full"]
"""`none`: no network at all. `index`: the package index only. `full`: the host's."""

MAX_TREE_BYTES = 1 << 30
"""Content that is handed over as a whole at most."""
MAX_SNAPSHOT_BYTES = 256 << 20
"""Content that one snapshot holds at most."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use. A backend that cannot hold a limit says so in its capabilities."""

    memory_bytes: int = 4 << 30
    """All processes together where cgroups are granted, each process else."""
    processes: int = 512
    """Processes and threads alive at once."""
    file_bytes: int = 1 << 30
    """Largest file that can be written."""
    open_files: int = 4096
    """Descriptors of one process."""
    tmp_bytes: int = 1 << 30
    """Size of `/tmp`."""
    tree_bytes: int = 1 << 30
    """Size of the work tree, where the backend can limit it."""
    cpu_seconds: int = 3600
    """Of each process: one that uses more is killed. The session's own bash counts over all its commands."""
    output_bytes: int = 1 << 20
    """Of stdout and of stderr of one command: head and tail are kept, half each, the middle is dropped."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A host folder shown inside."""

    source: Path
    target: str
    writable: bool = False
    """Builds only: give the folder to the backend with `own` first, take it back with `fetch`."""


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """Everything that defines a sandbox. Picklable, reusable for any number of sandboxes."""

    tree: Path
    """Host folder that appears at `/testbed`. Shared by many sandboxes and never written, unless `tree_writable`."""
    tree_writable: bool = False
    """Builds only: `/testbed` is `tree` itself."""
    mounts: tuple[Mount, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links to make in the root file system: path -> target."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment besides PATH, HOME, USER, LANG, TZ, which a backend sets."""
    path: tuple[str, ...] = ()
    """Folders in front of the default PATH."""
    network: Network = "none"
    index_hosts: tuple[str, ...] = ()
    """`HOST:PORT` of the package index and its files: all that network `index` reaches."""
    root_fs: str = "host"
    """Root file system: `host`, or the name of a portable one (`swesmith-gym images list`)."""
    covered: tuple[str, ...] = ()
    """Files and folders of the root file system and of mounts whose content is not shown: paths inside, no links. One
    that is no longer there is no error. Held where the capabilities say `covers`."""
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class SandboxCapabilities:
    """What a backend can hold on this host. Grading refuses a backend without the isolation that it needs."""

    network_isolation: bool = False
    process_isolation: bool = False
    memory_limit: Literal["sandbox", "process", "none"] = "none"
    process_limit: bool = False
    cpu_limit: bool = False
    """The CPU time of each process is limited, apart from the time that a command may take."""
    disk_limit: bool = False
    separate_user: bool = False
    """Code inside runs as a host user other than the driver's."""
    snapshots: bool = False
    """`snapshot` and `restore` work, and `fork` where more than one can be open."""
    host_root: bool = True
    """It can show the host's own root file system; else `root_fs` has to name a portable one."""
    covers: bool = False
    """Nothing that a spec says is `covered` can be read."""
    many: bool = True
    """More than one sandbox can be open at a time."""
    trusted_outer: bool = False
    """The user says that the machine itself is the sandbox."""

    @property
    def isolates(self) -> bool:
        """Enough isolation to grade: code inside reaches neither the network nor other processes, or the user says that
        there is nothing else to reach on this machine."""
        return self.trusted_outer or (self.network_isolation and self.process_isolation)


@dataclass(frozen=True, slots=True)
class HostCheck:
    """One fact about this host, for `doctor`."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    """The exact command that makes it ok; empty where nothing is to be fixed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a sandbox at one moment: its files and where its session is. A value: nothing on the host belongs to
    it, it fits every sandbox of the same spec, and it pickles. Processes are not part of it."""

    files: Mapping[str, tuple[Any, ...]]
    """Folder inside (the work tree, `/tmp`, home) -> what `sandboxes.inside.trees` lists of it: all names, and the
    content of what differs from the tree that the sandbox began with."""
    folder: str
    """Working directory of the session."""
    env: Mapping[str, str]
    """Exported variables of the session; empty: it had not been used."""


class Shell(ABC):
    """A session whose working directory, variables and functions persist from command to command."""

    @abstractmethod
    def run(self, command: str, *, timeout_s: float = 60.0) -> ExecResult:
        """Run one command; stdin is empty, stderr is mixed into stdout in the order of writing.

        `command` may be any text without NUL bytes (else `ValueError`). Syntax errors are results. When time
        is up every process of the session is killed; the working directory survives, variables may not, and
        a line on stdout says so. `exit` ends the session's process; the next command finds a fresh one in the folder
        that the last command began in.

        Raises: SandboxDied.
        """

    @property
    @abstractmethod
    def restarted(self) -> bool:
        """The last command ended the shell's process, so that variables and functions were lost."""


class Sandbox(ABC):
    """One running sandbox. Made by `SandboxBackend.start`, closed by whoever asked for it, once or many times."""

    @abstractmethod
    def run(
        self,
        command: str,
        *,
        timeout_s: float = 60.0,
        cwd: str = WORKDIR,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> ExecResult:
        """Run `command` in a fresh `bash --noprofile --norc -c`, apart from the shell session.

        `env` is added to the sandbox's. Nothing that it starts outlives it, children that left their
        session or group included. Raises: SandboxDied, ValueError (NUL byte).
        """

    @abstractmethod
    def shell(self) -> Shell:
        """The sandbox's session; started on first use, the same object afterwards."""

    @abstractmethod
    def read_file(self, path: str, *, limit: int = 64 << 20) -> bytes:
        """Content of a regular file, seen from inside (links are resolved inside). Relative to `/testbed`.

        Raises: FileNotFoundError, IsADirectoryError, PermissionError, OSError (not a regular file, or
        larger than `limit` bytes), SandboxDied.
        """

    @abstractmethod
    def apply(self, changes: tuple[FileChange, ...]) -> None:
        """Write, replace or delete files; relative paths are below `/testbed`, folders are made as needed.

        A path whose last component is a link, or a special file, is replaced, never followed. A mode of `0o120000`
        makes a link to `data`. Deleting what is not there is no error; a folder left empty by a deletion goes as well.

        Raises: OSError (a path with `..` included), SandboxDied.
        """

    @abstractmethod
    def manifest(self, path: str = WORKDIR, *, max_files: int = 50_000) -> Mapping[str, FileEntry]:
        """Every regular file and link below `path`: relative path -> entry. `.git` folders are left out.

        Kills every other process in the sandbox first, so that what is listed does not change any more. Names
        that are not UTF-8 use surrogate escapes. Raises: OSError (more than `max_files`, or a device, socket
        or pipe was found: its message starts with the path), SandboxDied.
        """

    @abstractmethod
    def read_link(self, path: str) -> str:
        """Target of a symbolic link. Raises: OSError, SandboxDied."""

    def pack(self, path: str, *, limit: int = MAX_TREE_BYTES) -> list[list[Any]]:
        """Everything below a folder as `sandboxes.inside.trees` lists it, `.git` included; `trees.unpack` writes it.

        Raises: OSError (more than `limit` bytes of content), SandboxUnsupported, SandboxDied.
        """
        raise SandboxUnsupported(f"{type(self).__name__} cannot hand over {path} as a whole (up to {limit} bytes)")

    def snapshot(self) -> Snapshot:
        """The state of the work tree, `/tmp`, home, and the session's folder and exported variables.

        Processes go on; what they write meanwhile may be in it or not. Raises: SandboxUnsupported, OSError (more than
        `MAX_SNAPSHOT_BYTES`), SandboxDied.
        """
        raise SandboxUnsupported(f"{type(self).__name__} has no snapshots")

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of this sandbox, or of another one of the same spec: files as they were, every process
        ended, a new session in the snapshot's folder. Where it fails the sandbox stays as it is.

        Raises: SandboxUnsupported, SandboxDied, SandboxUnavailable, OSError.
        """
        del snapshot
        raise SandboxUnsupported(f"{type(self).__name__} has no snapshots")

    def fork(self) -> Sandbox:
        """A second sandbox in the state of this one. The caller closes both. Raises: as `snapshot` and `restore`."""
        raise SandboxUnsupported(f"{type(self).__name__} has no snapshots")

    @property
    @abstractmethod
    def alive(self) -> bool:
        """The sandbox can run a command."""

    @abstractmethod
    def close(self) -> None:
        """End everything inside and remove every trace on the host. Idempotent; never raises."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SandboxBackend(ABC):
    """A way of making sandboxes on this host. Cheap to construct, thread-safe, picklable."""

    name: str
    """As in `--sandbox`."""

    @abstractmethod
    def checks(self) -> list[HostCheck]:
        """What it needs of the host, one fact each, with the command that fixes what is missing."""

    @abstractmethod
    def capabilities(self) -> SandboxCapabilities:
        """What it can hold here. Raises: SandboxUnavailable."""

    @abstractmethod
    def start(self, spec: SandboxSpec) -> Sandbox:
        """A new sandbox, ready for a command. The caller closes it.

        Raises: SandboxDied (it ended while it was started; another start may succeed), SandboxUnavailable (this host
        does not make any), SandboxUnsupported.
        """

    def quiet(self) -> AbstractContextManager[None]:
        """While it lasts nothing is made ahead in the background: what runs in sandboxes has the processors."""
        return nullcontext()

    def root_fs(self) -> str:
        """Name of the root file system that new environments are built on. Raises: SandboxUnavailable, InputError."""
        return roots.chosen(host=self.capabilities().host_root)

    def own(self, folder: Path) -> None:  # noqa: B027  (most backends run as the driver's own user)
        """Give `folder` and all below it to the user that code inside runs as (for trees that a build writes)."""

    def fetch(self, folder: Path) -> None:  # noqa: B027  (most backends write the folder itself)
        """Take a folder back that was given away with `own`: what code inside wrote lies on the host afterwards.

        Raises: SandboxError, OSError.
        """

    def remove_tree(self, folder: Path) -> None:
        """Delete a folder that code inside has written, whatever modes and owners it was left with."""
        import shutil

        shutil.rmtree(folder, ignore_errors=True)

    def leftovers(self) -> list[str]:
        """What closed sandboxes of this process have left on the host, as far as the backend can see: empty."""
        return []
