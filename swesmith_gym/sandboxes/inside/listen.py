"""A sandbox in a place that is reached by single calls only: the keeper of process 1's two streams between the calls.

`inside.bridge` makes a call: it hands over bytes of the driver's, and takes what was answered since. Of the bytes the
keeper knows only where a frame ends. It is told to end, or ends by itself when nobody has called for a while: then all
processes are ended, what was arranged for the sandbox is taken away (`inside.place`), and, where the whole place was
made for this sandbox, the server that carries the calls is ended as well.

Started by root it stays root, so that no command can end it; process 1 keeps root's real user for the same reason, and
works, as its commands do, as the sandbox's user.
"""

from __future__ import annotations

import _socket  # the public module imports enum, too
import json
import os
import select
import time

from .ending import end_all, end_place, parent
from .place import Place, Refused
from .processes import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl
from .users import become, examine
from .wire import frame_length

TYPE_CHECKING = False  # importing typing would take half of the start-up time
if TYPE_CHECKING:
    from typing import Any

CHUNK = 1 << 20
CALL_S = 30.0
"""How long a call may take to say what it wants, and process 1 to take some of it, in seconds."""
GRACE_S = 15.0
"""How long the driver has for ending the place in its own way."""


class Stuck(Exception):
    """Process 1 takes nothing more."""


class Frames:
    """What process 1 has written and nobody has taken yet."""

    def __init__(self) -> None:
        self.held = bytearray()
        self._rest = 0
        """Bytes up to the end of a frame that was taken in part; 0: the next byte begins one."""

    def enough(self, most: int) -> bool:
        """There are `most` bytes, or a frame is whole."""
        wanted = self._rest
        if not wanted:
            if len(self.held) < 4:
                return most == 0
            wanted = 4 + frame_length(bytes(self.held[:4]))
        return len(self.held) >= min(wanted, most)

    def take(self, most: int) -> bytes:
        """Up to `most` bytes; a frame's length is never taken in part."""
        end = self._rest
        while end < most and end + 4 <= len(self.held):
            end += 4 + frame_length(bytes(self.held[end : end + 4]))
        cut = min(end, most, len(self.held))
        self._rest = end - cut
        data = bytes(self.held[:cut])
        del self.held[:cut]
        return data


class Keeper:
    """Serves one call after the other. Made in the process that goes on to serve."""

    def __init__(self, listener: _socket.socket, user: int) -> None:
        """`user`: whom process 1 works as; -1: as the keeper."""
        self.listener = listener
        self.frames = Frames()
        self.ended = False
        self._errors = os.memfd_create("errors")
        requests, answers = os.pipe(), os.pipe()
        if not os.fork():
            _process_1(requests[0], answers[1], self._errors, user)
        os.close(requests[0])
        os.close(answers[1])
        self._requests, self._answers = requests[1], answers[0]
        os.set_blocking(self._requests, False)

    def serve(self, idle_s: float) -> _socket.socket | None:
        """The caller that told it to end, and waits for that; None: nobody called any more."""
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        while poll.poll(idle_s * 1000):
            call = _socket.socket(fileno=self.listener._accept()[0])  # type: ignore[attr-defined]
            call.settimeout(CALL_S)
            try:
                if not self._answer(call):
                    return call
            except (OSError, ValueError):
                pass  # the caller has gone, or is none of ours
            call.close()
        return None

    def _answer(self, call: _socket.socket) -> bool:
        """False: the caller wants the end."""
        head = bytearray()
        while not head.endswith(b"\n"):
            head += _some(call, 1)
        verb, wait_ms, most, size = head.split()
        data = bytearray()
        while len(data) < int(size):  # all of it first: half a frame must not reach process 1
            data += _some(call, min(int(size) - len(data), CHUNK))
        if verb == b"end":
            return False
        try:
            self._hand_over(data)
        except (Stuck, OSError):
            self.ended = True
        self._collect(int(wait_ms) / 1000, int(most))
        call.sendall(b"+" + self.frames.take(int(most)) if not self.ended else b"-" + self._why())
        return True

    def _hand_over(self, data: bytearray) -> None:
        poll = select.poll()
        poll.register(self._requests, select.POLLOUT)
        view = memoryview(data)
        while view:
            if not poll.poll(CALL_S * 1000):
                raise Stuck
            try:
                view = view[os.write(self._requests, view[:CHUNK]) :]
            except BlockingIOError:
                continue

    def _collect(self, wait_s: float, most: int) -> None:
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        deadline = time.monotonic() + wait_s
        while not self.ended and not self.frames.enough(most):
            if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
                return
            piece = os.read(self._answers, CHUNK)
            self.ended = not piece
            self.frames.held += piece

    def _why(self) -> bytes:
        lines = os.pread(self._errors, 8192, 0).split(b"\n")
        return next((line for line in reversed(lines) if line.strip()), b"its process 1 has gone")


def _some(call: _socket.socket, most: int) -> bytes:
    data = call.recv(most)
    if not data:
        raise OSError("the caller has gone")
    return data


def _process_1(requests: int, answers: int, errors: int, user: int) -> None:
    """In the child: never comes back. It executes no program, with which it would give up the user in reserve: then a
    command could end it."""
    try:
        os.dup2(requests, 0)
        os.dup2(answers, 1)
        os.dup2(errors, 2)
        os.closerange(3, 256)
        os.chdir("/")
        from .main import main  # before: the interpreter's own folder may be root's alone

        if user >= 0:
            become(user, reserve=True)
        main()
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        raise
    finally:
        os._exit(1)


def _keep(listener: _socket.socket, place: Place, plan: dict[str, Any], user: int, server: int) -> None:
    """The keeper's whole life. Never comes back."""
    try:
        os.setsid()
        nothing = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.chdir("/")
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        above = parent(server)
        caller = Keeper(listener, user).serve(plan["idle_s"])
        listener.close()
        end_all()
        if not plan["alone"]:
            place.undo()
        place.release()
        if caller:
            caller.sendall(b"+")
            caller.close()
        if plan["alone"]:
            select.select([], [], [], GRACE_S if caller else 0)
            end_place(server, above)
    finally:
        os._exit(0)


def main() -> None:
    """Arrange the place as `$PLAN` has it and leave a keeper behind. Prints what became of it, as JSON."""
    os.umask(0o022)
    plan = json.loads(os.environ["PLAN"])
    try:
        found = _begin(plan)
    except Refused as error:
        found = {"refused": str(error)}
    os.write(1, json.dumps(found).encode())


def _begin(plan: dict[str, Any]) -> dict[str, Any]:
    place = Place(plan)
    place.lock()
    state = examine(plan["user"])
    if plan["isolates"] and state != "separate":
        return {"refused": state}
    separate = state in ("separate", "exposed")
    missing = place.missing(trusted=separate or plan["alone"])
    if missing:
        return {"missing": missing}
    user = plan["user"] if separate else -1
    place.arrange(user)
    server = os.getppid()
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener.bind(place.socket)
    listener.listen(16)
    if not os.fork():
        _keep(listener, place, plan, user, server)
    return {"separate": separate}
