"""Operators written against LibCST: for those who think in its nodes and matchers rather than in spans of text.

A `CstOperator` says which expressions may take an expression's place; where that lies, and that nothing else of the
file changes, is worked out here. Each file is parsed a second time for it, so the package's own operators do without
(decision record 0004).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators.base import Edit, Operator

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class Place:
    """A node, where it lies (characters of the whole file), and the text of each replacement."""

    start: int
    end: int
    texts: tuple[str, ...]


class CstOperator(Operator[Place]):
    """An operator over concrete syntax. What no operator may touch (annotations, docstrings) is never offered."""

    @abstractmethod
    def rewrites(self, node: cst.CSTNode) -> Iterable[cst.CSTNode]:
        """Every node that may take the place of `node`, in a fixed order; none: it is left alone."""

    def sites(self, scope: Scope) -> Iterator[Place]:
        """The entity's own nodes that have a rewrite, in source order."""
        module, nodes = _parsed(scope.file.source)
        own = {(scope.file.start(node), scope.file.end(node)) for node in scope.expressions()}
        low, high = scope.span
        for node, start, end in nodes:
            if low <= start and end <= high and (start, end) in own:
                texts = tuple(_text(module, node, new) for new in self.rewrites(node))
                if texts:
                    yield Place(start, end, texts)

    def edits(self, scope: Scope, site: Place) -> Iterator[tuple[Edit, ...]]:
        """One edit for each rewrite."""
        del scope
        for text in site.texts:
            yield (Edit(site.start, site.end, text),)


@lru_cache(maxsize=16)
def _parsed(source: str) -> tuple[cst.Module, tuple[tuple[cst.BaseExpression, int, int], ...]]:
    """The module, and every expression with its span in characters, outer ones first. Raises: SyntaxError."""
    import libcst as cst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

    data = source.encode()
    try:
        wrapper = MetadataWrapper(cst.parse_module(data), unsafe_skip_copy=True)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(error.message) from error
    spans = wrapper.resolve(ByteSpanPositionProvider)
    found = []
    for node, span in spans.items():
        if isinstance(node, cst.BaseExpression):
            start = len(data[: span.start].decode())
            found.append((node, start, start + len(data[span.start : span.start + span.length].decode())))
    return wrapper.module, tuple(sorted(found, key=lambda each: (each[1], -each[2])))


def _text(module: cst.Module, node: cst.BaseExpression, new: cst.CSTNode) -> str:
    """Text of a rewrite. Brackets around the old node lie outside its span, so those that it took over are left out."""
    if getattr(new, "lpar", ()) and getattr(new, "lpar", ()) == node.lpar:
        new = new.with_changes(lpar=(), rpar=())
    return module.code_for_node(new)
