"""When two texts certainly behave alike."""

from __future__ import annotations

import pytest

from swesmith_gym.languages.python.equivalence import equivalent, syntax_error

BASE = (
    "x = 1\n\n\nclass A:\n    def f(self, a):\n        '''Doc.'''\n"
    "        if a:\n            return a + 1\n        return self.g(a)\n"
)

ALIKE = {
    "same": (BASE, BASE),
    "comment": (BASE, BASE.replace("return a + 1", "return a + 1  # more")),
    "docstring": (BASE, BASE.replace("Doc.", "Other.")),
    "docstring_gone": (BASE, BASE.replace("        '''Doc.'''\n", "")),
    "blank_lines": (BASE, BASE.replace("\n\n\n", "\n")),
    "brackets": (BASE, BASE.replace("a + 1", "(a + 1)")),
    "pass": (BASE, BASE.replace("        return self", "        pass\n        return self")),
    "quotes": ("x = 'a'\n", 'x = "a"\n'),
    "folded": ("x = 1 + 1\n", "x = 2\n"),
    "module_docstring": ("'''a'''\nx = 1\n", "'''b'''\nx = 1\n"),
    "crlf": (BASE, BASE.replace("\n", "\r\n")),
    "mark": ("\ufeffx = 'a'\n", '\ufeffx = "a"\n'),
    "nonlocal": (
        "def f():\n    n = 1\n    def g():\n        nonlocal n\n        n = 2\n",
        "def f():\n    n = 1\n    def g():\n        nonlocal n\n        n = (2)\n",
    ),
}
DIFFERENT = {
    "operator": (BASE, BASE.replace("a + 1", "a - 1")),
    "constant": (BASE, BASE.replace("a + 1", "a + 2")),
    "type_of_constant": ("x = 1\n", "x = 1.0\n"),
    "true_and_one": ("def f(a):\n    return a(1)\n", "def f(a):\n    return a(True)\n"),
    "default": ("def f(a=1): pass\n", "def f(a=2): pass\n"),
    "annotation": ("def f(a: int): pass\n", "def f(a: str): pass\n"),
    "future_annotation": (
        "from __future__ import annotations\ndef f(a: int): pass\n",
        "from __future__ import annotations\ndef f(a: str): pass\n",
    ),
    "name": ("def f(): pass\n", "def g(): pass\n"),
    "async": ("def f(): pass\n", "async def f(): pass\n"),
    "assert": ("def f(a):\n    assert a\n", "def f(a):\n    pass\n"),
    "broken": (BASE, BASE.replace("a + 1", "a +")),
    "added_function": (BASE, BASE + "def g(): pass\n"),
    "module_level": ("x = 1\n", "x = 2\n"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_alike(name: str) -> None:
    assert equivalent(*ALIKE[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    assert not equivalent(*DIFFERENT[name])


def test_syntax_error_says_where() -> None:
    assert syntax_error(BASE) == ""
    assert syntax_error("x = 1\ny = (\n").startswith("line 2: ")
    assert "return" in syntax_error("return 1\n")
    assert syntax_error("x = '\0'\n")
    assert syntax_error("(" * 5000 + ")" * 5000)
    assert syntax_error("x = '\udcff'\n")
    assert syntax_error("\ufeffx = 1\n") == ""
