"""The driver's side of a sandbox without namespaces: what is other because there can be only one of them at a time."""

from __future__ import annotations

from swesmith_gym.errors import SandboxUnsupported
from swesmith_gym.sandboxes.base import MAX_SNAPSHOT_BYTES, WORKDIR, Snapshot
from swesmith_gym.sandboxes.client import FILES_S, ClientSandbox
from swesmith_gym.sandboxes.process.places import TMP, home_inside


class ProcessSandbox(ClientSandbox):
    """A snapshot holds the sandbox's own temporary folder, not the machine's `/tmp`, and nothing of `/dev/shm`."""

    def snapshot(self) -> Snapshot:
        request = {"op": "save", "folders": [WORKDIR, TMP, home_inside()], "limit": MAX_SNAPSHOT_BYTES}
        found = self._connection.ask(request, FILES_S)
        files = {path: tuple(map(tuple, entries)) for path, entries in found["files"].items()}
        return Snapshot(files, found["folder"], found["env"])

    def restore(self, snapshot: Snapshot) -> None:
        """As the contract says, but for this: where it fails, the sandbox has ended, since the old one goes first."""
        self._connection.end()
        super().restore(snapshot)

    def fork(self) -> ClientSandbox:
        raise SandboxUnsupported("the process backend can have one sandbox open on a machine, so none can be forked")
