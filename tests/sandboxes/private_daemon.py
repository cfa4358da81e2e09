"""A Docker daemon of a test's own, that it may stop, kill and fill: with a root folder, a socket and no network.

In a network namespace of its own: a daemon without a bridge takes away that of any other.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_S = 120


class Daemon:
    """`folder`: short, since it holds sockets. It may lie on a file system of limited size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [
            "unshare",
            "--net",
            "dockerd",
            f"--host={self.url}",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/exec",
        ]
        words += [f"--pidfile={self.folder}/pid", "--storage-driver=overlay2", "--bridge=none", "--iptables=false"]
        for stale in ("pid", "exec/containerd/containerd.pid"):  # of one that was killed and that nobody has waited for
            (self.folder / stale).unlink(missing_ok=True)
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        with log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait = f"until docker --host {self.url} version; do sleep 0.1; done"
        subprocess.run(["timeout", str(READY_S), "sh", "-c", wait], check=True, capture_output=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Containers end with the daemon on SIGTERM; on SIGKILL they are left."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(READY_S)

    def ask(self, *words: str) -> list[str]:
        """The lines of the answer of Docker's own program."""
        words = ("docker", "--host", self.url, *words)
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()

    def left(self) -> str:
        """The containers, of any state, that stay after what the daemon itself still removes in its own time."""
        wait = f'until [ -z "$(docker --host {self.url} ps --all --quiet)" ]; do sleep 0.1; done'
        if subprocess.run(["timeout", str(READY_S), "sh", "-c", wait], check=False).returncode == 0:
            return ""
        return "\n".join(self.ask("ps", "--all", "--format", "{{.ID}} {{.Status}}"))


@contextmanager
def private_daemon(size: str = "") -> Iterator[Daemon]:
    """`size`: of the file system that it gets, as tmpfs takes it; without: the system's temporary folder."""
    folder = Path("/tmp") / f"swesmith-gym-daemon-{os.getpid()}"
    folder.mkdir()
    if size:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    daemon = Daemon(folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)
        for line in Path("/proc/self/mounts").read_text().splitlines()[::-1]:
            if line.split()[1].startswith(str(folder)):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=True)
        shutil.rmtree(folder)
