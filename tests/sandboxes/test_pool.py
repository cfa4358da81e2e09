"""The warm pool, apart from what it keeps."""

from __future__ import annotations

import itertools
import threading

import pytest

from swesmith_gym.errors import SandboxDied
from swesmith_gym.sandboxes.pool import Handling, WarmPool


class Thing:
    def __init__(self, number: int) -> None:
        self.number, self.well, self.ended = number, True, False

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def made() -> list[Thing]:
    return []


def maker(made: list[Thing]) -> Thing:
    made.append(Thing(len(made)))
    return made[-1]


def pool(each: int = 2, total: int = 8) -> WarmPool[Thing]:
    return WarmPool(Handling(healthy=lambda one: one.well, discard=Thing.end), each=each, total=total)


def test_what_is_asked_for_once_costs_nothing(made: list[Thing]) -> None:
    found = pool()
    assert found.take("a", lambda: maker(made)) is None
    assert found.take("b", lambda: maker(made)) is None
    assert not made
    found.close()


def test_what_is_asked_for_again_is_kept_and_replaced(made: list[Thing]) -> None:
    found = pool(each=2)
    for _ in range(2):
        assert found.take("a", lambda: maker(made)) is None
    assert found.settle(10)
    assert len(found) == 2
    first = found.take("a", lambda: maker(made))
    assert first is made[0]
    assert found.settle(10)
    assert len(found) == 2
    assert not first.ended
    found.close()
    assert [one.ended for one in made] == [False, True, True]


def test_the_sick_are_discarded(made: list[Thing]) -> None:
    found = pool(each=2)
    for _ in range(2):
        found.take("a", lambda: maker(made))
    assert found.settle(10)
    assert len(found) == 2
    made[0].well = False
    assert found.take("a", lambda: maker(made)) is made[1]
    assert made[0].ended
    found.close()


def test_the_total_is_held_and_old_kinds_give_way(made: list[Thing]) -> None:
    found = pool(each=2, total=3)
    for kind in ("a", "b"):
        for _ in range(2):
            found.take(kind, lambda: maker(made))
        assert found.settle(10)
        assert len(found) == (2 if kind == "a" else 3)
    found.close()
    assert all(one.ended for one in made)


def test_a_failure_to_make_is_not_the_pools_end(made: list[Thing]) -> None:
    found, calls = pool(each=1), itertools.count()

    def sometimes() -> Thing:
        if next(calls) == 0:
            raise SandboxDied("not now")
        return maker(made)

    for kept in (0, 0, 1):  # asked for once; the failure; the next
        assert found.take("a", sometimes) is None
        assert found.settle(10)
        assert len(found) == kept
    found.close()


def test_a_closed_pool_gives_nothing_and_closes_again(made: list[Thing]) -> None:
    found = pool()
    found.close()
    found.close()
    for _ in range(3):
        assert found.take("a", lambda: maker(made)) is None
    assert not made


def test_many_threads(made: list[Thing]) -> None:
    found, taken, lock = pool(each=3), [], threading.Lock()

    def use() -> None:
        for _ in range(50):
            one = found.take("a", lambda: maker(made))
            with lock:
                taken.append(one)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.close()
    given = [one for one in taken if one is not None]
    assert len({one.number for one in given}) == len(given)
    assert all(one.ended for one in made if one not in given)


def test_while_there_is_quiet_nothing_is_made(made: list[Thing]) -> None:
    found = pool()
    with found.quiet():
        for _ in range(3):
            assert found.take("a", lambda: maker(made)) is None
        assert not found.settle(0.2)
        assert not made
    assert found.settle(10)
    assert len(made) == 2
    found.close()


def test_quiet_without_end_is_not_waited_for(made: list[Thing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swesmith_gym.sandboxes.pool.PATIENCE_S", 0.01)
    found = pool()
    with found.quiet():
        for _ in range(2):
            found.take("a", lambda: maker(made))
        assert found.settle(10)
    assert len(made) == 2
    found.close()
