"""A handler catches another exception."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.text import argument_removal

RELATED = {
    "KeyError": ("IndexError", "LookupError"),
    "IndexError": ("KeyError", "LookupError"),
    "ValueError": ("TypeError",),
    "TypeError": ("ValueError",),
    "AttributeError": ("KeyError", "TypeError"),
    "Exception": ("ValueError", "RuntimeError"),
    "ImportError": ("AttributeError",),
    "OSError": ("ValueError", "PermissionError"),
    "FileNotFoundError": ("PermissionError",),
    "StopIteration": ("IndexError",),
    "UnicodeDecodeError": ("UnicodeEncodeError",),
    "UnicodeEncodeError": ("UnicodeDecodeError",),
    "LookupError": ("KeyError",),
    "NotImplementedError": ("TypeError",),
    "ZeroDivisionError": ("ValueError",),
    "OverflowError": ("ValueError",),
    "RecursionError": ("ValueError",),
    "RuntimeError": ("ValueError",),
    "UnicodeError": ("LookupError",),
    "TimeoutError": ("ConnectionError",),
    "AssertionError": ("ValueError",),
}


class ExceptTypeChange(Operator[ast.ExceptHandler]):
    """A relative of it, a wider or narrower one, or one less of several."""

    name = "except_type_change"
    sentence = "a handler catches another exception"
    needs = frozenset({"except"})
    likelihood = 0.2
    valid = (
        Example.of(
            "def f(a):\n    try: g()\n    except ValueError: h()\n",
            "def f(a):\n    try: g()\n    except TypeError: h()\n",
            "def f(a):\n    try: g()\n    except Exception: h()\n",
        ),
        Example.of(
            "def f(a):\n    try: g()\n    except (A, B) as e: h(e)\n",
            "def f(a):\n    try: g()\n    except (B) as e: h(e)\n",
            "def f(a):\n    try: g()\n    except (A) as e: h(e)\n",
        ),
    )
    invalid = ("def f(a):\n    try: g()\n    except: h()\n", "def f(a):\n    try: g()\n    finally: h()\n")

    def sites(self, scope: Scope) -> Iterator[ast.ExceptHandler]:
        """Handlers that name what they catch."""
        for node in scope.find(ast.ExceptHandler):
            if node.type:
                yield node

    def edits(self, scope: Scope, site: ast.ExceptHandler) -> Iterator[tuple[Edit, ...]]:
        """Name another."""
        caught = site.type
        if isinstance(caught, ast.Tuple):
            for at in range(len(caught.elts) if len(caught.elts) > 1 else 0):
                yield argument_removal(scope, caught.elts, at)
        elif isinstance(caught, (ast.Name, ast.Attribute)):
            name = caught.id if isinstance(caught, ast.Name) else ""
            for text in (*RELATED.get(name, ()), *(() if name.endswith("Exception") else ("Exception",))):
                yield (replace(scope, caught, text),)
