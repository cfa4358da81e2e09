"""Parsing from several threads at once, which CPython 3.11 itself does not survive; and that nothing goes around it."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swesmith_gym import languages
from swesmith_gym.languages import python
from swesmith_gym.languages.python.parsing import compiled, literal, parse


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_threads_may_parse_at_once(hasty: None) -> None:
    source = inspect.getsource(argparse)
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(parse, [source] * 40))
    assert len({len(tree.body) for tree in trees}) == 1


def test_threads_may_read_literals_and_copies_at_once(hasty: None) -> None:
    function = inspect.getsource(argparse.ArgumentParser.parse_known_args)
    language = languages.get("python")
    with ThreadPoolExecutor(4) as pool:
        literals = pool.map(literal, [repr(list(range(3000)))] * 40)
        cores = pool.map(language.copy_core, [function] * 80)
        assert len({len(each) for each in cores}) == 1
        assert {len(each) for each in literals} == {3000}  # type: ignore[arg-type]


def test_what_cannot_be_parsed_is_a_syntax_error() -> None:
    for text in ("def", "a\0b", "(" * 5000 + ")" * 5000):
        with pytest.raises(SyntaxError):
            parse(text)
    assert compiled(parse("x = 1")).co_names == ("x",)


def test_nothing_goes_around_it() -> None:
    folder = Path(str(python.__file__)).parent
    runner = folder / "testing" / "runner"  # runs inside, in one thread
    for path in folder.rglob("*.py"):
        if path.name == "copies.py":  # runs inside as well; on the host its caller is alone
            continue
        if path.name != "parsing.py" and not path.is_relative_to(runner):
            assert not re.search(
                r"\bast\.parse\(|\bast\.literal_eval\((?!site\))|(?<![.\w])compile\(", path.read_text()
            ), path
