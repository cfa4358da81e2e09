"""Tests are taken out so that what remains collects as before, less what was taken. Checked with real collections."""

from __future__ import annotations

import textwrap

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.languages.python.testing.hiding import hide
from swesmith_gym.languages.python.testing.hiding import test_source as source_of

BASE = """
    import pytest

    class Base:
        '''Shared tests.'''

        def helper(self): return 1

        def test_shared(self):
            assert self.helper()

        def test_other(self): pass
"""
TREE = {
    "tests/__init__.py": "",
    "tests/base.py": BASE,
    "tests/test_a.py": """
        # -*- coding: utf-8 -*-
        import pytest
        from tests.base import Base
        from tests import test_b

        # Regression: a list came back empty.
        @pytest.mark.parametrize("x", [1, 2])
        @pytest.mark.parametrize("y", ["a b", "[]"])
        def test_many(x, y):
            def test_inner(): pass
            assert x

        class TestEmptied:
            '''Only one.'''
            def test_one(self): pass

        class TestChild(Base):
            def test_own(self): pass
            def test_other(self): assert True

        class TestOuter:
            class TestInner:
                async def test_async(self): pass
                def test_sync(self): pass

        if True:
            def test_conditional(): pass
        else:
            def test_conditional(): raise RuntimeError

        def test_used(): return None

        def test_uses():
            test_used()

        test_alias = test_b.test_plain

        def test_last(): pass
    """,
    "tests/test_b.py": """
        import unittest
        from .base import *

        def test_plain(): pass

        class TestStar(Base): pass

        class TestUnit(unittest.TestCase):
            def setUp(self): self.value = 1
            def test_unit(self): self.assertEqual(self.value, 1)

        def _make(n):
            def test(self): assert n
            return test

        class TestMade: pass

        for _n in range(2):
            setattr(TestMade, f"test_made_{_n}", _make(_n + 1))
    """,
    "tests/test_c.py": "class TestMade:\n    pass\nsetattr(TestMade, 'test_x', lambda self: None)\n",
    "tests/notes.txt": "nothing\n",
}
FILES = {name: textwrap.dedent(text).lstrip("\n").encode() for name, text in TREE.items()}
A, B = "tests/test_a.py::", "tests/test_b.py::"


@pytest.fixture
def ids(runner):
    return runner({name: data.decode() for name, data in FILES.items()}, collect_only=True).collected


@pytest.fixture
def hidden(runner, tmp_path, ids):
    """`hidden(ask, how, keep)`: hide, check what remains by a real collection, give the result."""

    def check(ask, how="functions", keep=()):
        found = hide(FILES, ask, ids, how=how, keep=keep)
        root = tmp_path / "tree"
        for name, data in found.files.items():
            assert name not in keep
            if data is None:
                (root / name).unlink()
            else:
                (root / name).write_bytes(data)
        after = runner({}, collect_only=True)
        assert after.broken_modules == {}
        assert list(after.collected) == [test_id for test_id in ids if test_id not in found.ids]
        return found

    return check


@pytest.mark.parametrize(
    ("ask", "gone"),
    [
        ([A + "test_many[a b-1]"], [A + f"test_many[{y}-{x}]" for y in ("[]", "a b") for x in (1, 2)]),
        ([A + "TestEmptied::test_one"], [A + "TestEmptied::test_one"]),
        ([A + "TestChild::test_own"], [A + "TestChild::test_own"]),
        ([A + "TestChild::test_other"], [A + "TestChild::test_other"]),
        ([A + "TestChild::test_shared"], [A + "TestChild::test_shared", B + "TestStar::test_shared"]),
        ([A + "TestOuter::TestInner::test_async"], [A + "TestOuter::TestInner::test_async"]),
        ([A + "test_conditional"], [A + "test_conditional"]),
        ([A + "test_used"], [A + "test_used"]),
        ([A + "test_alias"], [A + "test_alias"]),
        ([A + "test_last"], [A + "test_last"]),
        ([B + "TestUnit::test_unit"], [B + "TestUnit::test_unit"]),
        (["tests/test_c.py::TestMade::test_x"], ["tests/test_c.py::TestMade::test_x"]),
        ([A + "TestOuter::TestInner::test_async", A + "TestOuter::TestInner::test_sync"],) * 2,
    ],
)
def test_exactly_these_tests_go(hidden, ask, gone):
    assert sorted(hidden(ask).ids) == sorted(gone)


def test_every_test_that_can_be_found_goes(hidden, ids):
    found = hidden(ids)
    assert set(ids) - set(found.ids) == {B + "TestMade::test_made_0", B + "TestMade::test_made_1"}


def test_the_rest_of_the_file_stays_byte_for_byte(hidden):
    found = hidden([A + "test_many[a b-1]"])
    before = FILES["tests/test_a.py"].decode()
    start, end = before.index("# Regression"), before.index("class TestEmptied")
    assert found.files == {"tests/test_a.py": (before[:start] + before[end:]).encode()}


def test_an_emptied_class_goes_with_its_docstring(hidden):
    text = hidden([A + "TestEmptied::test_one"]).files["tests/test_a.py"].decode()
    assert "TestEmptied" not in text
    assert "\n\nclass TestChild(Base):" in text


def test_a_name_that_other_code_uses_stays_as_none(hidden):
    text = hidden([A + "test_used"]).files["tests/test_a.py"].decode()
    assert "test_used = None\n" in text
    assert "return None" not in text


def test_an_override_does_not_bring_the_inherited_test_up(hidden):
    assert "test_other = None" in hidden([A + "TestChild::test_other"]).files["tests/test_a.py"].decode()


def test_a_file_whose_tests_cannot_be_found_goes_unless_others_import_it(hidden):
    assert hidden(["tests/test_c.py::TestMade::test_x", B + "TestMade::test_made_0"]).files == {"tests/test_c.py": None}


def test_whole_files(hidden, ids):
    found = hidden([A + "test_last"], how="files")
    assert found.files == {"tests/test_a.py": None}
    assert set(found.ids) == {test_id for test_id in ids if test_id.startswith(A)}


def test_whole_files_that_others_import_lose_functions_only(hidden):
    assert hidden([B + "TestUnit::test_unit"], how="files").ids == (B + "TestUnit::test_unit",)


@pytest.mark.parametrize("how", ["functions", "files"])
def test_kept_files_are_never_touched(hidden, how):
    assert hidden([A + "test_last"], how=how, keep=["tests/test_a.py"]).files == {}
    assert hidden([A + "TestChild::test_shared"], how="functions", keep=["tests/base.py"]).files == {}


def test_none_hides_nothing(hidden):
    assert hidden([A + "test_last"], how="none").files == {}


def test_an_unknown_way_is_bad_input():
    with pytest.raises(InputError, match="functions, files, none"):
        hide({}, [], [], how="lines", keep=[])


def test_doctests_of_code_stay_and_text_files_of_tests_go():
    files = {"pkg/mod.py": b"def f():\n    '''\n    >>> 1\n    1\n    '''\n", "docs/use.rst": b">>> 1\n1\n"}
    ids = ["pkg/mod.py::pkg.mod.f", "docs/use.rst::use.rst"]
    assert hide(files, ids, ids, how="functions", keep=()).files == {"docs/use.rst": None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"def test_a(): pass\r\n\r\nx = 1\r\n", b"x = 1\r\n"),
        (b"x = 1\n\n\ndef test_a():\n    pass", b"x = 1\n"),
        (b"class T:\n    x = 1\n\n    def test_a(self): pass\n\n\ny = 1\n", b"class T:\n    x = 1\n\n\ny = 1\n"),
        (
            b"try:\n    import x\nexcept ImportError:\n    def test_a(): pass\n",
            b"try:\n    import x\nexcept ImportError:\n    pass\n",
        ),
        (b"#!/usr/bin/python\ndef test_a(): pass\nx = 1\n", b"#!/usr/bin/python\nx = 1\n"),
        (b"# coding: latin-1\n# \xe9\nx = '\xe9'\ndef test_a(): pass\n", b"# coding: latin-1\n# \xe9\nx = '\xe9'\n"),
        (b"test_a = make()\ny = 2\n", b"y = 2\n"),
        (b"test_a = make(); y = 2\n", None),
        (b"from make import *\n", None),
    ],
)
def test_edits(before, after):
    test_id = "t.py::T::test_a" if before.startswith(b"class") else "t.py::test_a"
    assert hide({"t.py": before}, [test_id], [test_id], how="functions", keep=()).files == {"t.py": after}


def test_source_of_a_test_is_dedented_with_its_decorators():
    assert source_of(FILES, A + "TestChild::test_shared") == "def test_shared(self):\n    assert self.helper()"
    assert source_of(FILES, A + "test_many[a b-1]").startswith('@pytest.mark.parametrize("x", [1, 2])\n')
    assert source_of(FILES, "tests/test_c.py::TestMade::test_x") == ""
    assert source_of(FILES, "absent.py::test_x") == ""


def test_generated_names_lead_to_the_decorated_function():
    source = b"class T:\n    @expand([1, 2])\n    def test_sum(self, n): pass\n    def test_b(self): pass\n"
    ids = ["t.py::T::test_sum_0", "t.py::T::test_sum_1", "t.py::T::test_b"]
    found = hide({"t.py": source}, ids[:1], ids, how="functions", keep=())
    assert found.ids == tuple(sorted(ids[:2]))
    assert found.files == {"t.py": b"class T:\n    def test_b(self): pass\n"}
