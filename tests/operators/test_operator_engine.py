"""What holds for every operator: real files, odd texts, seeds."""

from __future__ import annotations

import importlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from swesmith_gym.diff import changed_span
from swesmith_gym.languages.base import Mutation
from swesmith_gym.languages.python.entities import entities
from swesmith_gym.languages.python.equivalence import equivalent
from swesmith_gym.languages.python.operators import mutations
from swesmith_gym.languages.python.operators.engine import MAX_EDITS

BODY = '''\
import os


class Box(dict):
    """Ä box."""

    size: int = 3

    def take(self, items: "list[int]", limit=4):
        """Take ï some."""
        total, seen = 0, [] # é
        for index, item in enumerate(items):
            if item is None or index >= limit:
                break
            try:
                total += item * 2 - 1
            except (TypeError, ValueError):
                seen.append("ö" + "x")
        return total, items[1:limit], f"{total!r} {seen}"

    async def wait(self, other, *, key="k"):
        with self.lock:
            value = await other.get(key, 7)
        def inner(a, b):
            return a - b
        return inner(value, len(key)) if not value else None
'''


def made(source: str, seed: int = 0, names: list[str] | None = None) -> list[Mutation]:
    return list(mutations("pkg/m.py", source, random.Random(seed), names))


def check(source: str, mutation: Mutation, *, whole: bool = True) -> None:
    """It differs, only lines of its own entity changed, and the whole file compiles."""
    if whole:
        compile(mutation.source.removeprefix("\ufeff"), mutation.path, "exec", dont_inherit=True)
    start, end, _ = changed_span(source, mutation.source)
    first = source.count("\n", 0, start) + 1
    last = source.count("\n", 0, max(start, end - 1)) + 1
    assert mutation.entity.start <= first, mutation
    assert last <= mutation.entity.end, mutation
    assert mutation.source != source


@pytest.mark.slow
@pytest.mark.parametrize("package", ["click", "jinja2", "typer"])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_every_mutation_of_a_real_package_is_sound(package: str) -> None:
    root = Path(importlib.import_module(package).__file__ or "").parent
    count = 0
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes().decode()
        for mutation in mutations(path.name, source, random.Random(1)):
            # Compiling a whole file takes long; a sample of them keeps the test short.
            check(source, mutation, whole=count % 16 == 0)
            count += 1
    assert count > 500


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_survive(newline: str, mark: str) -> None:
    source = mark + BODY.replace("\n", newline)
    results = made(source)
    assert len({each.operator for each in results}) > 25
    for each in results:
        check(source, each)
        assert each.source.startswith(mark + "import os")
        assert each.source.replace("\r\n", "").count("\r") == 0
        assert newline == "\n" or each.source.count("\n") == each.source.count("\r\n")


def test_tabs_form_feeds_and_no_final_newline() -> None:
    source = BODY.replace("    ", "\t").replace("\n\n\nclass", "\n\x0c\nclass").rstrip("\n")
    for each in made(source):
        check(source, each)


def test_line_ends_do_not_change_the_choice() -> None:
    unix = [(each.operator, each.source) for each in made(BODY)]
    dos = [(each.operator, each.source.replace("\r\n", "\n")) for each in made(BODY.replace("\n", "\r\n"))]
    assert unix == dos


def test_only_the_span_changes() -> None:
    for each in made(BODY, names=["op_change", "comparison_boundary", "string_change"]):
        old, new = BODY.splitlines(), each.source.splitlines()
        assert len(old) == len(new)
        assert 1 <= sum(a != b for a, b in zip(old, new, strict=True)) <= MAX_EDITS


def test_docstrings_annotations_and_decorators_stay() -> None:
    for seed in range(10):
        for each in made(BODY, seed):
            if each.entity.kind == "function":
                assert '"""Take ï some."""' in each.source
                assert 'items: "list[int]"' in each.source


def test_same_seed_same_list_other_seed_other_list() -> None:
    assert made(BODY, 3) == made(BODY, 3)
    assert made(BODY, 3) != made(BODY, 4)


def test_choice_of_operators_does_not_change_their_results() -> None:
    everything = [each for each in made(BODY, 5) if each.operator in {"op_change", "string_change"}]
    assert made(BODY, 5, ["string_change", "op_change"]) == everything


def test_hash_seed_does_not_matter(tmp_path: Path) -> None:
    script = tmp_path / "show.py"
    script.write_text(
        "import pathlib, random, sys\n"
        "from swesmith_gym.languages.python.operators import mutations\n"
        "text = pathlib.Path(sys.argv[1]).read_text(encoding='utf-8')\n"
        "print(ascii([(m.operator, m.source, m.explanation) for m in mutations('m.py', text, random.Random(0))]))\n"
    )
    (tmp_path / "m.py").write_text(BODY, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "m.py")]
    seen = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "77")
    }
    assert len(seen) == 1
    assert "return_none" in seen.pop()


def test_syntax_errors_are_raised() -> None:
    for source in ("def f(:\n", "x = '\0'\n", "(" * 5000):
        with pytest.raises(SyntaxError):
            made(source)
        with pytest.raises(SyntaxError):
            entities("m.py", source)


def test_nothing_reaches_into_nested_entities() -> None:
    source = "def f(a):\n    def g(b):\n        return b - 1\n    if a:\n        return g(a)\n    return a\n"
    for seed in range(10):
        for each in made(source, seed):
            if each.entity.name == "f":
                assert "return b - 1" in each.source or each.operator.startswith("class_")


def test_nonlocal_and_mangled_names() -> None:
    source = (
        "class A:\n    def f(self):\n        n = 0\n        def g():\n            nonlocal n\n"
        "            n += self.__x - 2\n            return n\n        return g\n"
    )
    results = made(source)
    assert any(each.entity.name.endswith("g") for each in results)
    for each in results:
        check(source, each)
        assert not equivalent(source, each.source)
