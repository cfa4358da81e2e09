"""One SWE-ReX deployment: started, used by calls that each have a time limit, stopped.

What goes wrong in SWE-ReX, or on the way to the deployment, becomes an error of this package.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from swesmith_gym.errors import InputError, SandboxDied, SandboxError, SandboxUnavailable
from swesmith_gym.sandboxes.base import Limits
from swesmith_gym.sandboxes.swerex import loop
from swesmith_gym.sandboxes.swerex.config import VARIABLE, Config

T = TypeVar("T")

START_S = 1200.0
"""An image may have to be pulled first."""
STOP_S = 60.0
CALL_S = 60.0
"""How much longer than what it does a call may take: a busy host, a long way."""
UPLOAD_S = 280.0
"""SWE-ReX gives up after 300."""


class Deployment:
    """Made for one sandbox, and stopped by whoever made it. Thread-safe."""

    def __init__(self, config: Config, limits: Limits) -> None:
        self._config = config
        self._limits = limits
        self._held: list[Any] = []
        """One deployment; none once it is stopped."""
        self._runtime: Any = None

    def start(self) -> None:
        """Raises: SandboxUnavailable, InputError."""
        try:
            loop.apart(self._start, START_S)
        except TimeoutError:
            raise SandboxUnavailable(f"the SWE-ReX deployment did not start within {START_S:g} s") from None

    def _start(self) -> None:
        try:
            deployment = self._config.deployment(self._limits)
            self._held.append(deployment)
            asyncio.run(deployment.start())
            self._runtime = deployment.runtime
        except (SandboxError, InputError):
            raise
        except BaseException as error:
            raise _unavailable(self._config.type, error) from error
        _drain(deployment)

    def stop(self) -> None:
        """Idempotent, never raises. Where it takes too long it goes on by itself."""
        with contextlib.suppress(TimeoutError):
            loop.apart(self._stop, STOP_S)

    def _stop(self) -> None:
        if not self._held:
            return
        deployment = self._held.pop()
        deployment.__class__ = _stopped_class(type(deployment))
        # It would ask the server first to close its sessions, of which there are none, and stop short where that fails.
        if self._runtime is not None:
            setattr(self._runtime, "close", _nothing)  # noqa: B010  (an assignment is refused by the type checker)
        self._runtime = None
        try:
            asyncio.run(deployment.stop())
        except BaseException:  # noqa: BLE001 (foreign code: nobody is left to hear of it)
            return

    def begin(self, words: list[str], env: Mapping[str, str], limit_s: float) -> Future[str]:
        """Run a program there, in this environment and no other; what it prints. The future may be cancelled.

        It raises SandboxDied, SandboxUnavailable.
        """
        return loop.begin(self._execute(words, dict(env), limit_s))

    def run(self, words: list[str], env: Mapping[str, str], limit_s: float = CALL_S) -> str:
        """The same, to its end. Raises: SandboxDied, SandboxUnavailable."""
        return result_of(self.begin(words, env, limit_s), limit_s + CALL_S)

    async def _execute(self, words: list[str], env: dict[str, str], limit_s: float) -> str:
        from swerex.runtime.abstract import Command

        # a shell, since SWE-ReX would print an error of its own for a program that is not there
        command = Command(command=["/bin/sh", "-c", 'exec "$0" "$@"', *words], timeout=limit_s, env=env)
        answer = await self._translated(self._there().execute(command), limit_s + CALL_S)
        if answer.exit_code:
            said = (answer.stderr or answer.stdout).strip().splitlines() or ["it said nothing"]
            raise SandboxDied(f"in the SWE-ReX deployment {words[0]} fails (exit code {answer.exit_code}): {said[-1]}")
        return str(answer.stdout)

    def upload(self, data: bytes, target: str) -> None:
        """Write a file there. Raises: SandboxDied, SandboxUnavailable, OSError (here)."""
        from swerex.runtime.abstract import UploadRequest

        with tempfile.NamedTemporaryFile(prefix="swesmith-gym-") as file:
            file.write(data)
            file.flush()
            request = UploadRequest(source_path=file.name, target_path=target)
            work = self._translated(self._there().upload(request), UPLOAD_S)
            result_of(loop.begin(work), UPLOAD_S + CALL_S)

    def _there(self) -> Any:
        runtime = self._runtime
        if runtime is None:
            raise SandboxDied("the SWE-ReX deployment is stopped")
        return runtime

    async def _translated(self, work: Coroutine[Any, Any, Any], limit_s: float) -> Any:
        try:
            return await asyncio.wait_for(work, limit_s)
        except TimeoutError:
            raise SandboxDied(f"the SWE-ReX deployment does not answer within {limit_s:g} s") from None
        except Exception as error:  # SWE-ReX raises whatever the server, or a library, has raised
            raise _of_call(error) from error


def result_of(future: Future[T], limit_s: float) -> T:
    """Raises: SandboxDied (cancelled, or not there in time), and what it raises."""
    try:
        return future.result(limit_s)
    except TimeoutError:
        future.cancel()
        raise SandboxDied(f"the SWE-ReX deployment does not answer within {limit_s:g} s") from None
    except CancelledError:
        raise SandboxDied("the sandbox is closed") from None
    except BaseException:
        future.cancel()
        raise


def _stopped_class(kind: type) -> type:
    """SWE-ReX's class, whose objects stop themselves again when they are deleted, for which they make an event loop in
    whatever thread that happens in; one that was stopped has no need of it."""
    return type(kind.__name__, (kind,), {"__del__": lambda self: None})


async def _nothing(*_: object) -> None:
    return


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}"[:300] if lines else type(error).__name__


def _of_call(error: Exception) -> SandboxError:
    if getattr(error, "status", 0) in (401, 403):
        return SandboxUnavailable(
            "the SWE-ReX server refuses the token", fix=f'"auth_token" in ${VARIABLE}: what the server was started with'
        )
    return SandboxDied(f"the SWE-ReX deployment does not answer: {_line(error)}")


def _unavailable(kind: str, error: BaseException) -> SandboxUnavailable:
    if isinstance(error, FileNotFoundError):
        return SandboxUnavailable(f"SWE-ReX's {kind} deployment needs the program {error.filename}")
    return SandboxUnavailable(f"the SWE-ReX deployment ({kind}) does not start: {_line(error)}")


def _drain(deployment: Any) -> None:
    """A container's client writes the server's log into pipes that SWE-ReX never reads: full, they would stop it."""
    client = getattr(deployment, "_container_process", None)
    if isinstance(client, subprocess.Popen):
        for stream in filter(None, (client.stdout, client.stderr)):
            threading.Thread(target=_read_all, args=(stream,), name="swerex-log", daemon=True).start()


def _read_all(stream: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        while stream.read(1 << 16):
            pass
        stream.close()
