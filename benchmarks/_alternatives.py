"""What one would use without this package, measured in the same run: a plain bash, bare bubblewrap, the Docker command,
the Docker SDK, SWE-ReX's local runtime."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import Any

from _measure import Times

from swesmith_gym.sandboxes.base import SandboxBackend, SandboxSpec

STEPS = 20


def _call(*words: str) -> None:
    """A command to its end. Raises: CalledProcessError."""
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def plain_bash(times: Times, rounds: int) -> None:
    """A bash on the host, driven over pipes: the floor of a step, and the own time of its command."""
    bash = subprocess.Popen(
        ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", bufsize=0
    )
    assert bash.stdin is not None
    assert bash.stdout is not None
    line, answers = bash.stdin, bash.stdout

    def ask(command: str) -> None:
        line.write(f"{command}\necho done\n".encode())
        answers.readline()

    for _ in range(rounds * STEPS):
        times.take("plain bash: step, builtin", lambda: ask(":"))
        times.take("plain bash: step, one program", lambda: ask("/bin/true"))
    line.close()
    bash.wait()
    answers.close()


def bare_bubblewrap(times: Times, rounds: int) -> None:
    """`bwrap` with nothing of ours around it: no overlay, no process of ours inside, ends with its command."""
    from swesmith_gym.sandboxes.binary import find_bwrap

    words = [str(find_bwrap()), "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"]
    for _ in range(rounds):
        times.take("bare bwrap: start, /bin/true, end", lambda: _call(*words))


def cold(times: Times, found: SandboxBackend, spec: SandboxSpec, rounds: int) -> None:
    """A sandbox for each command, in place of one for the episode."""

    def one() -> None:
        with found.start(spec) as sandbox:
            sandbox.run("/bin/true")

    for _ in range(rounds):
        times.take(f"{found.name}: start, /bin/true, close", one)


def docker_command(times: Times, image: str, rounds: int) -> None:
    """The `docker` command, where there is one."""
    if not shutil.which("docker"):
        return
    run = ["docker", "run", "--rm", "--network=none", "--entrypoint", "/bin/true", image]
    idle = ["docker", "run", "--detach", "--network=none", "--entrypoint", "/bin/sleep", image, "infinity"]
    for _ in range(rounds):
        times.take("docker run --rm true", lambda: _call(*run))
    name = subprocess.run(idle, capture_output=True, text=True, check=True).stdout.strip()
    try:
        for _ in range(rounds):
            times.take("docker exec true", lambda: _call("docker", "exec", name, "/bin/true"))
    finally:
        _call("docker", "rm", "--force", name)


def docker_sdk(times: Times, image: str, rounds: int) -> None:
    """The Docker SDK for Python: a container for an episode, a process for each command."""
    import docker

    client = docker.from_env()
    for _ in range(rounds):
        _sdk_episode(times, client, image)
    client.close()


def _sdk_episode(times: Times, client: Any, image: str) -> None:
    def reset() -> Any:
        found = client.containers.create(image, entrypoint=["/bin/sleep"], command=["infinity"], network_mode="none")
        found.start()
        found.exec_run(["/bin/true"])
        return found

    container = times.take("docker SDK: create, start, exec", reset)
    try:
        times.take("docker SDK: exec true", lambda: container.exec_run(["/bin/true"]))
    finally:
        times.take("docker SDK: remove", lambda: container.remove(force=True))


def swe_rex(times: Times, rounds: int) -> None:
    """SWE-ReX's local runtime in this process: a session, no isolation, no tree."""
    os.environ.setdefault("SWE_REX_LOG_STREAM_LEVEL", "100")  # it writes every call to the terminal else
    with asyncio.Runner() as runner:
        for _ in range(rounds):
            _swe_rex_episode(times, runner)


def _swe_rex_episode(times: Times, runner: asyncio.Runner) -> None:
    from swerex.runtime.abstract import BashAction, Command, CreateBashSessionRequest
    from swerex.runtime.local import LocalRuntime

    runtime = LocalRuntime()
    begin = CreateBashSessionRequest(startup_timeout=10)
    times.take("SWE-ReX local: session", lambda: runner.run(runtime.create_session(begin)))
    for _ in range(5):
        step = BashAction(command=":", timeout=10)
        times.take("SWE-ReX local: step", lambda step=step: runner.run(runtime.run_in_session(step)))  # type: ignore[misc]
    one = Command(command=["/bin/true"])
    times.take("SWE-ReX local: execute", lambda: runner.run(runtime.execute(one)))
    times.take("SWE-ReX local: close", lambda: runner.run(runtime.close()))
