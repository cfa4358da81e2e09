"""Tests whose outcome hangs on how fast the machine is at the moment."""

from __future__ import annotations

import ast

from swesmith_gym.languages.base import Files
from swesmith_gym.languages.python.parsing import parse
from swesmith_gym.languages.python.testing.hiding import test_source

_CLOCKS = frozenset(
    """
    perf_counter perf_counter_ns monotonic monotonic_ns time_ns process_time process_time_ns thread_time
    timeit default_timer setitimer alarm timeout timeout_after wait_for
    """.split()  # noqa: SIM905
)


def reads_clock(files: Files, test_id: str) -> bool:
    """See `Language.reads_clock`."""
    try:
        tree = parse(test_source(files, test_id))
    except SyntaxError:
        return False
    return names_clock(tree)


def names_clock(tree: ast.AST) -> bool:
    """The same of a test that is parsed already."""
    return any(_is_clock(node) for node in ast.walk(tree))


def _is_clock(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="time"), attr="time"):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
            return name in _CLOCKS
    return False
