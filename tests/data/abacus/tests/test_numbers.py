import pytest

from abacus import average, clamp, total


def test_total(numbers):
    assert total(numbers) == 6


def test_total_of_nothing():
    assert total([]) == 0


class TestAverage:
    def test_mean(self, numbers):
        assert average(numbers) == 2

    def test_empty(self):
        with pytest.raises(ValueError):
            average([])


@pytest.mark.parametrize(
    ("value", "wanted"), [(5, 5), (-1, 0), (11, 10)], ids=["in the middle", "too low", "too high"]
)
def test_clamp(value, wanted):
    assert clamp(value, 0, 10) == wanted


@pytest.mark.skip(reason="not today")
def test_skipped():
    raise AssertionError
