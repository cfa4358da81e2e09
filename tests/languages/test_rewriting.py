"""Entities as texts: taken out and put back byte for byte, blanked, shown in their file, and rewritten strictly."""

from __future__ import annotations

import ast
import json.decoder
import queue
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from samples import ABACUS

from swesmith_gym import languages
from swesmith_gym.languages.rewriting import Rewriting
from swesmith_gym.records import REJECTION_REASONS, CodeEntity

PYTHON = languages.get("python")
MODULES: tuple[ModuleType, ...] = (textwrap, json.decoder, queue)
ODD = '''\
\ufeff"""Odd layout."""
import functools


class A(
    object
):  # a comment
    """Doc of A."""

    text = """
  kept
    as it is
"""

    @functools.lru_cache(
        maxsize=3
    )
    def long(
        self, a: int,
        b="é,"  # why
    ) -> int:
        # before the doc
        """Doc

        of two rows.
        """
        # after the doc
        value = f"""
  {a}
"""; other = (a,
  b)
# at the left edge
        if a:

            return len(value)

        return other \\
      [0]

    def short(self): return 1 + \\
        2

    @property
    def x(self):
        return self._x

    @x.setter
    def x(self, value):
        self._x = value

    async def later(self, *args, key=1, **more):
        def inner(z):
            return z + key
        return inner(args)


def documented_only():
    """Doc."""


def last(n):
    for each in range(n):
        if each: yield each
    return'''


def variants(source: str) -> Iterator[str]:
    yield source
    yield source.replace("\n", "\r\n")
    yield source.replace("    ", "\t")
    yield source.replace("\n", "\r")


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(ABACUS.rglob("*.py")):
        yield path.name, path.read_bytes().decode()
    for module in MODULES:
        yield module.__name__, Path(str(module.__file__)).read_bytes().decode()
    yield "odd", ODD


CASES = [
    pytest.param(text, id=f"{name}{at}")
    for name, each in sources()
    for at, text in enumerate(variants(each))
    if at < 2 or len(each) < 3000
]


def found(source: str) -> list[CodeEntity]:
    return [entity for entity, _ in PYTHON.rewritable("m.py", source)]


def one(source: str, name: str) -> CodeEntity:
    return next(entity for entity in found(source) if entity.name == name)


def rewritten(source: str, name: str, code: str, *, same_call: bool = False) -> Rewriting:
    return PYTHON.rewritten(source, one(source, name), code, same_call=same_call)


@pytest.mark.parametrize("source", CASES)
def test_what_is_taken_out_goes_back_byte_for_byte(source: str) -> None:
    for entity in found(source):
        text = PYTHON.entity_text(source, entity)
        again = PYTHON.rewritten(source, entity, text)
        assert again == Rewriting(source), entity.name
        assert not text[0].isspace()
        assert len(ast.parse(text).body) == 1
        deeper = "".join(f"        {row}" if row.strip() else row for row in text.splitlines(keepends=True))
        if '"""\n' not in text and "\\\n" not in text:
            assert PYTHON.rewritten(source, entity, deeper) == Rewriting(source), entity.name


@pytest.mark.parametrize("source", CASES)
def test_blanked_text_parses_and_keeps_the_head(source: str) -> None:
    for entity in found(source):
        old, new = (ast.parse(PYTHON.entity_text(source, entity, blanked=blanked)).body[0] for blanked in (False, True))
        assert type(old) is type(new)
        assert isinstance(old, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        assert isinstance(new, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        assert ast.get_docstring(old) == ast.get_docstring(new)
        assert [ast.dump(each) for each in old.decorator_list] == [ast.dump(each) for each in new.decorator_list]
        if not isinstance(old, ast.ClassDef) and not isinstance(new, ast.ClassDef):
            assert ast.dump(old.args) == ast.dump(new.args)
            rest = new.body[1:] if ast.get_docstring(new, clean=False) is not None else new.body
            assert [ast.unparse(each) for each in rest] in (["..."], [])


@pytest.mark.parametrize("source", CASES)
def test_contexts_parse_and_hold_the_entity(source: str) -> None:
    for entity in found(source):
        texts = PYTHON.contexts(source, entity)
        assert texts[0].removesuffix("\n") == "\n".join(source.removeprefix("\ufeff").splitlines()).removesuffix("\n")
        assert list(texts) == sorted(set(texts), key=len, reverse=True)
        name = entity.name.rpartition(".")[2]
        for text in (*texts, *PYTHON.contexts(source, entity, blanked=True)):
            nodes = [each for each in ast.walk(ast.parse(text)) if getattr(each, "name", "") == name]
            assert nodes


def test_a_blanked_function_has_head_and_documentation_only() -> None:
    assert PYTHON.entity_text(ODD, one(ODD, "A.long"), blanked=True) == (
        '@functools.lru_cache(\n    maxsize=3\n)\ndef long(\n    self, a: int,\n    b="é,"  # why\n) -> int:\n'
        '    # before the doc\n    """Doc\n\n    of two rows.\n    """\n    ...\n'
    )
    assert PYTHON.entity_text(ODD, one(ODD, "A.short"), blanked=True) == "def short(self): ...\n"
    text = PYTHON.entity_text(ODD, one(ODD, "A"), blanked=True)
    assert "value" not in text.replace("def x(self, value)", "")
    assert text.count("...") == 5


def test_the_skeleton_leaves_other_bodies_out_and_the_last_resort_all_else() -> None:
    whole, skeleton, alone = PYTHON.contexts(ODD, one(ODD, "A.later.<locals>.inner"), blanked=True)
    assert "return z" not in whole + skeleton + alone
    assert "for each in range(n)" in whole
    assert "for each" not in skeleton
    assert "def last(n):\n    ...\n" in skeleton
    assert "return inner(args)" in skeleton, "what the entity lies in stays"
    assert alone == (
        "class A(\n    object\n):  # a comment\n    async def later(self, *args, key=1, **more):\n"
        "        def inner(z):\n            ...\n"
    )


def test_which_entities_can_be_rewritten() -> None:
    source = (
        "def test_a(): pass\n\nclass T:\n    def test_b(self): pass\n\ndef f():\n    '''D'''\n    # c\n\n    return 1\n"
    )
    assert [(entity.name, lines) for entity, lines in PYTHON.rewritable("m.py", source)] == [("f", 1)]
    assert PYTHON.rewritable("m.py", "def f(:\n") == []
    assert PYTHON.rewritable("m.py", "def f():\n  return '\0'\n") == []
    with pytest.raises(LookupError, match="no g in line 1"):
        PYTHON.entity_text("def f(): pass\n", CodeEntity("m.py", "g", "function", 1, 1, 1, frozenset()))


SOURCE = '''\
class Box:
  """A box."""

  @property
  def size(self) -> int:
    """How much is in it."""
    # every row counts
    total = 0
    for row in self.rows:
      total += len(row)
    return total

  def add(self, row: list, at=None):
    self.rows.append(row)
    return at
'''


def test_only_what_differs_is_changed() -> None:
    code = "def size(self):\n    total = 1\n    for row in self.rows:\n        total += len(row)\n    return total\n"
    wanted = SOURCE.replace("total = 0", "total = 1").replace("    # every row counts\n", "")
    for end in ("\n", "\r\n", "\r"):
        source, expected = SOURCE.replace("\n", end), wanted.replace("\n", end)
        again = rewritten(source, "Box.size", code)
        assert again.source == expected
        assert not again.reason
        assert again.prose == ()


def test_a_class_keeps_its_heads_and_documentation() -> None:
    code = (
        "class Box:\n    def size(self):\n        '''Other words.'''\n        total = 0\n"
        "        for row in self.rows:\n            total += 2\n        return total\n\n"
        "    def add(self, row, at=None): return at\n"
    )
    again = rewritten(SOURCE, "Box", code)
    tree = ast.parse(again.source).body[0]
    assert isinstance(tree, ast.ClassDef)
    assert ast.get_docstring(tree) == "A box."
    assert '  @property\n  def size(self) -> int:\n    """How much is in it."""\n    total = 0\n' in again.source
    assert again.source.endswith("  def add(self, row: list, at=None):\n    return at\n")


def test_a_tab_indented_file_takes_code_with_spaces() -> None:
    source = "class A:\n\tdef f(self, a):\n\t\tif a:\n\t\t\treturn 1\n\t\treturn 2\n"
    code = "def f(self, a):\n    if a:\n        return 1\n    elif self:\n        return 5\n    return 2\n"
    assert rewritten(source, "A.f", code).source == source.replace(
        "\t\treturn 2", "\t\telif self:\n\t\t\treturn 5\n\t\treturn 2"
    )


def test_values_of_strings_are_never_indented() -> None:
    source = "class A:\n    def f(self):\n        return 1\n"
    code = "def f(self):\n    text = '''\n  two\nzero\n'''\n    return text\n"
    after = rewritten(source, "A.f", code).source
    assert after == "class A:\n    def f(self):\n        text = '''\n  two\nzero\n'''\n        return text\n"


def test_the_end_of_a_file_without_a_newline() -> None:
    after = rewritten(ODD, "last", "def last(n):\n    yield n\n    yield 2").source
    assert after == ODD[: ODD.index("def last")] + "def last(n):\n    yield n\n    yield 2"
    assert (
        rewritten("def f(a):\n    return a", "f", "def f(a):\n    return 1\n\n\n").source == "def f(a):\n    return 1"
    )


def test_new_comments_and_bare_strings_are_told() -> None:
    head = "def add(self, row, at=None):\n    # head\n    'Doc.'\n"
    code = f"{head}    # here\n    self.rows.append(row)  # there\n    'and there'\n    return 3\n"
    assert rewritten(SOURCE, "Box.add", code).prose == ("# here", "# there", "and there"), "the head is the file's own"
    twice = "    # every row counts\n" * 2
    assert rewritten(SOURCE, "Box.size", f"def size(self):\n{twice}    return 1\n").prose == ("# every row counts",)


BODY = "    self.rows.append(row)\n    return 7\n"


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        ("", "no_code", "nothing"),
        ("# only a comment\n", "no_code", "nothing but comments"),
        ("I would rather not.", "no_code", "no definition"),
        ("x = 1\n", "outside_entity", "no definition of add alone"),
        (f"def add(self, row, at=None)\n{BODY}", "syntax_error", "line 1"),
        (f"def put(self, row, at=None):\n{BODY}", "outside_entity", "no definition of add"),
        (f"import os\ndef add(self, row, at=None):\n{BODY}", "outside_entity", "line 1 is no part of add"),
        (f"def add(self, row, at=None):\n{BODY}\nprint(add(1, 2))\n", "outside_entity", "line 5 is no part"),
        (f"def add(self, row, at=None):\n{BODY}" * 2, "outside_entity", "2 definitions of add"),
        (f"def add(self, row, at=None):\n{BODY}\ndef other():\n    return 1\n", "outside_entity", "line 5"),
        (f"async def add(self, row, at=None):\n{BODY}", "outside_entity", "another kind"),
        ("class add:\n    x = 1\n", "outside_entity", "class in place of function"),
        (f"class Box:\n    def add(self, row, at=None):\n        return {BODY!r}\n", "outside_entity", "no definition"),
        (f"def add(self, row, at=1):\n{BODY}", "outside_entity", "another signature"),
        (f"def add(self, row, at):\n{BODY}", "outside_entity", "another signature"),
        (f"def add(self, rows, at=None):\n{BODY}", "outside_entity", "another signature"),
        (f"def add(self, row, *, at=None):\n{BODY}", "outside_entity", "another signature"),
        (f"@staticmethod\ndef add(self, row, at=None):\n{BODY}", "outside_entity", "other decorators"),
        ("def add(self, row, at=None):\n    pass\n", "placeholder", "add has no body"),
        ("def add(self, row, at=None):\n    ...\n", "placeholder", "add has no body"),
        ("def add(self, row, at=None):\n    'Doc.'\n", "placeholder", "add has no body"),
        ("def add(self, row, at=None):\n    raise NotImplementedError('add')\n", "placeholder", "add has no body"),
        ("def add(self, row, at=None):\n    if row:\n        ...\n    return at\n", "placeholder", "dots in place"),
        ("x" * 200_000, "too_large", "200000 characters"),
        ("(" * 90_000, "no_code", "no definition"),
        ("def add(self, row, at=None):\n    return " + "(" * 5000 + ")" * 5000, "syntax_error", ""),
        ("def add(self, row, at=None):\n    return " + "-" * 50_000 + "1\n", "syntax_error", ""),
        ("def add(self, row, at=None):\n    return 'a\0b'\n", "syntax_error", ""),
        ("def add(self, row, at=None):\n    return '\ud800'\n", "syntax_error", ""),
        ("    def add(self):\n  return 1\n", "syntax_error", ""),
        ("def add(self, row, at=None):\n    return 1 \\", "syntax_error", ""),
        ("def add(self, row, at=None):\n\treturn 1\n        return 2\n", "syntax_error", ""),
    ],
    ids=range(32),
)
def test_what_is_not_that_entity_is_refused(code: str, reason: str, says: str) -> None:
    again = rewritten(SOURCE, "Box.add", code, same_call=True)
    assert (again.source, again.reason) == ("", reason)
    assert says in again.detail
    assert reason in REJECTION_REASONS


def test_annotations_and_decorators_that_were_left_out_are_no_other_signature() -> None:
    code = "def size(self) -> float:\n    return 3\n"
    assert "@property\n  def size(self) -> int:\n" in rewritten(SOURCE, "Box.size", code, same_call=True).source


def test_another_signature_is_a_change_where_it_is_allowed() -> None:
    again = rewritten(SOURCE, "Box.add", f"def add(self, row, at=1):\n{BODY}")
    assert "  def add(self, row, at=1):\n" in again.source
    assert "return 7" in again.source


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("class Box:\n    def add(self, row, at=None):\n        return 3\n", "Box lacks size"),
        ("class Box:\n    pass\n", "Box has no body"),
        (
            "class Box:\n    def size(self): ...\n    def add(self, row, at=None):\n        return 3\n",
            "size has no body",
        ),
    ],
)
def test_a_class_has_all_of_its_methods(code: str, says: str) -> None:
    again = rewritten(SOURCE, "Box", code)
    assert (again.reason, again.detail) == ("placeholder", says)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sure:\ndef f():\n    return 1\nThat is it.", "def f():\n    return 1\n"),
        ("import os\n\ndef f():\n    return 1\n\nHope it helps", "import os\n\ndef f():\n    return 1\n\n"),
        ("def f():\n    return 1\n\nprint(f())\nThis prints 1.", "def f():\n    return 1\n\nprint(f())\n"),
        ("Here:\n    @a\n    def f():\n        return 1\n  Bye", "    @a\n    def f():\n        return 1\n"),
        ("no code at all\nimport x", ""),
        ("", ""),
        ("\0\ud800\u2028", ""),
    ],
)
def test_code_within_prose(text: str, code: str) -> None:
    assert PYTHON.code_in(text) == code
