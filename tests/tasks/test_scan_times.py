"""Which change times give the edited file away, and which are a pause of the host."""

from __future__ import annotations

import pytest

from swesmith_gym.tasks.scan.times import SLACK_NS, stands_out

MS = 1_000_000
WRITTEN_IN_ORDER = {f"{name}.py": at * MS for at, name in enumerate("abcdef")}


@pytest.mark.parametrize(
    ("values", "tells"),
    [
        (WRITTEN_IN_ORDER, False),
        (dict.fromkeys(WRITTEN_IN_ORDER, 0) | {"f.py": 0}, False),
        (WRITTEN_IN_ORDER | {"f.py": 400 * MS}, False),
        (WRITTEN_IN_ORDER | {"f.py": 60_000 * MS}, True),
    ],
    ids=["in its turn", "all at once", "after a pause", "a minute later"],
)
def test_the_last_file_of_a_tree(values: dict[str, int], tells: bool) -> None:
    assert stands_out(values, "f.py", frozenset({"f.py"}), SLACK_NS) is tells


@pytest.mark.parametrize(
    ("at", "tells"), [(2, False), (9, True), (400, True), (-1, True)], ids=["turn", "later", "last", "first"]
)
def test_a_file_in_the_middle(at: int, tells: bool) -> None:
    values = WRITTEN_IN_ORDER | {"c.py": at * MS}
    assert stands_out(values, "c.py", frozenset({"c.py"}), SLACK_NS) is tells


def test_a_file_far_from_others_in_no_order() -> None:
    values = {"a.py": 5 * MS, "b.py": 1 * MS, "c.py": 3 * MS, "d.py": 300 * MS}
    assert stands_out(values, "d.py", frozenset({"d.py"}), SLACK_NS)
    assert not stands_out(values | {"d.py": 100 * MS}, "d.py", frozenset({"d.py"}), SLACK_NS)
    assert not stands_out({"a.py": 0, "d.py": 300 * MS}, "d.py", frozenset({"d.py"}), SLACK_NS)
