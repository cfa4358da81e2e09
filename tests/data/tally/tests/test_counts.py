import pytest
from tally import Tally, largest, total


@pytest.fixture
def tally():
    made = Tally()
    for thing in (3, 1, 2, 3):
        made.add(thing)
    return made


def test_items_are_in_order(tally):
    assert tally.items() == [(1, 1), (2, 1), (3, 2)]


def test_total(tally):
    assert total(tally) == 4


def test_total_of_nothing():
    assert total(Tally()) == 0


def test_largest(tally):
    assert largest(tally) == 3


def test_largest_of_nothing():
    assert largest(Tally()) is None


@pytest.mark.parametrize("times", [1, 2, 5])
def test_times(times):
    made = Tally()
    made.add("x", times)
    assert made.items() == [("x", times)]


@pytest.mark.parametrize("times", [0, -1])
def test_fewer_than_once(times):
    with pytest.raises(ValueError):
        Tally().add("x", times)
