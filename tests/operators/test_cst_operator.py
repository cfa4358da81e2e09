"""An operator written against LibCST: its rewrites become spans, and nothing else of the file changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar

import libcst as cst
import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.languages.python.operators import CstOperator, Example, mutations, register, unregister

SOURCE = '''\
é = max(1, 2)


def f(a: "max(1, 2)", b=max(3, 4)):
    """Not max(1, 2)."""
    return (  max( a,b )  ) + 1  # a comment


def g(a):
    def inner():
        return max(a, 2)
    return f"{max(a, 3)}" + inner()
'''


class MaxToMin(CstOperator):
    name = "max_to_min"
    sentence = "min is taken instead of max"
    likelihood = 1.0
    valid: ClassVar[tuple[Example, ...]] = (Example.of("def f(a): return max(a, 1)", "def f(a): return min(a, 1)"),)

    def rewrites(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "max":
            yield node.with_changes(func=cst.Name("min"))


@pytest.fixture
def registered() -> Iterator[str]:
    register(MaxToMin)
    yield "max_to_min"
    unregister("max_to_min")


def test_only_the_intended_span_changes(registered: str) -> None:
    texts = {m.entity.name: m.source for m in mutations("m.py", SOURCE, random.Random(0), [registered])}
    assert texts["f"] == SOURCE.replace("(  max( a,b )  )", "(  min( a,b )  )")
    assert texts["g.<locals>.inner" if "g.<locals>.inner" in texts else "g.inner"] == SOURCE.replace(
        "return max(a, 2)", "return min(a, 2)"
    )
    assert "g" not in texts


def test_its_name_is_known_while_it_is_registered(registered: str) -> None:
    assert list(mutations("m.py", SOURCE, random.Random(0), [registered]))
    with pytest.raises(InputError, match="taken"):
        register(MaxToMin)
