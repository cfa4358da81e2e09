"""Tests whose going changes nothing else that is collected: told from the text, where the text makes it certain.

A function that nothing names, and whose definition runs nothing, can go; so can a class of such functions. Where code
may look at what a module or a class holds, or at the other tests, it is not certain.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from swesmith_gym.languages.base import Files
from swesmith_gym.languages.python.testing.definitions import Definition
from swesmith_gym.languages.python.testing.ids import is_doctest, module_of, names_of
from swesmith_gym.languages.python.testing.scopes import Function, Module, is_filler

LOOKS = re.compile(
    rb"\b(?:globals|locals|vars|dir|eval|exec)\(|__dict__|__subclasses__|__init_subclass__|__prepare__|f_globals|f_locals"
    rb"|__globals__|getmembers|getsource|sys\.modules|load_tests|pytest_collection|pytest_itemcollected|pytest_pycollect"
)
"""What code says that may see which definitions there are, or which tests."""
PLAIN_BASES = frozenset({"object", "TestCase", "IsolatedAsyncioTestCase"})
"""Base classes that do nothing when a class is made of them."""


def watched(files: Files) -> bool:
    """A conftest file of the tree may see which tests there are."""
    return any(path.endswith("conftest.py") and LOOKS.search(data) for path, data in files.items())


def certain(module: Module, gone: Collection[Definition], left: bytes, ids: Collection[str]) -> bool:
    """`gone`: what was cut from a file that no other one mentions, of which `left` remains. `ids`: all of its tests;
    those that went are exactly what `gone` was written for (`owned`)."""
    chains = {definition.names for definition in gone}
    return (
        not LOOKS.search(module.source)
        and not named({name for names in chains for name in names}, left)
        and all(_goes_alone(module, names) for names in chains)
        and not any(is_doctest(test) for test in ids)
    )


def owned(gone: Collection[Definition], ids: Collection[str]) -> frozenset[str]:
    """The ids that these definitions, or classes around them, are written for."""
    chains = {(definition.path, definition.names) for definition in gone}
    paths = {definition.path for definition in gone}
    found = ((test, module_of(test)) for test in ids)
    return frozenset(test for test, path in found if path in paths and _below(chains, path, names_of(test)))


def _below(chains: Collection[tuple[str, tuple[str, ...]]], path: str, names: tuple[str, ...]) -> bool:
    return any((path, names[:depth]) in chains for depth in range(1, len(names) + 1))


def named(names: Collection[str], text: bytes) -> bool:
    """One of the names stands somewhere, but for where something of that name is defined."""
    there = (word for word in map(str.encode, sorted(names)) if word in text)
    return any(re.search(rb"(?<!def )(?<!class )\b" + re.escape(word) + rb"\b", text) for word in there)


def _goes_alone(module: Module, names: tuple[str, ...]) -> bool:
    around = (module.scope(names[:depth]).class_of(names[depth]) for depth in range(len(names) - 1))
    return all(node is not None and _is_plain_class(module, node) for node in around) and all(
        _runs_nothing(module, place.statement) for place in module.places(names)
    )


def _is_plain_class(module: Module, node: ast.ClassDef) -> bool:
    """Making it, with whatever members, does nothing else."""
    return not node.keywords and _are_marks(node.decorator_list) and all(_is_plain(module, b) for b in node.bases)


def _is_plain(module: Module, base: ast.expr) -> bool:
    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    own = module.scope().class_of(name) if isinstance(base, ast.Name) else None
    return name in PLAIN_BASES if own is None else not own.bases and _is_plain_class(module, own)


def _runs_nothing(module: Module, statement: ast.stmt) -> bool:
    """Its definition calls nothing."""
    if isinstance(statement, Function):
        return _are_marks(statement.decorator_list) and all(map(_is_inert, _evaluated(statement)))
    if isinstance(statement, ast.ClassDef):
        return _is_plain_class(module, statement) and all(_runs_nothing(module, each) for each in statement.body)
    return is_filler(statement)


def _evaluated(node: Function) -> Iterator[ast.expr]:
    """What a function's definition evaluates, decorators aside."""
    arguments = node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    notes = (each.annotation for each in every if each is not None)
    yield from (each for each in (*arguments.defaults, *arguments.kw_defaults, *notes, node.returns) if each)


def _are_marks(decorators: list[ast.expr]) -> bool:
    return all(_is_inert(each) and ast.unparse(each).startswith("pytest.mark.") for each in decorators)


def _is_inert(node: ast.expr) -> bool:
    """A value that is written out, with nothing in it that runs but marks of pytest."""
    match node:
        case ast.Call(func=function, args=arguments, keywords=keywords):
            called = ast.unparse(function)
            known = called == "pytest.param" or called.startswith("pytest.mark.")
            return known and all(map(_is_inert, (*arguments, *(keyword.value for keyword in keywords))))
        case ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
            return all(map(_is_inert, values))
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and _is_inert(key) for key in keys) and all(map(_is_inert, values))
        case ast.Attribute(value=value) | ast.UnaryOp(operand=value):
            return _is_inert(value)
    return isinstance(node, ast.Constant | ast.Name | ast.Lambda)
