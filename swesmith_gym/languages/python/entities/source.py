"""One Python text, parsed once: its syntax tree, and where each node lies in the text, in characters.

Positions of the tree are lines and UTF-8 columns; edits need offsets. Nodes inside an f-string have no usable position
before Python 3.12 and must not be asked for.
"""

from __future__ import annotations
import __future__

import ast
import re
from functools import cached_property

from swesmith_gym.languages.python.parsing import parse

_LINE_END = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import\b", re.MULTILINE)


class SourceFile:
    """A text with its tree. Immutable once made; safe to share between readers."""

    def __init__(self, source: str) -> None:
        """Raises: SyntaxError."""
        self.source = source
        self._skip = 1 if source.startswith(_BOM) else 0
        self.tree = parse(source[self._skip :])
        self._starts = [self._skip, *(match.end() for match in _LINE_END.finditer(source))]
        self._ascii = source[self._skip :].isascii()
        self._columns: dict[int, list[int] | None] = {}

    @cached_property
    def future_flags(self) -> int:
        """Compiler flags of the `from __future__` imports."""
        if not _FUTURE.search(self.source):
            return 0
        flags = 0
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for alias in node.names:
                    flags |= getattr(__future__, alias.name).compiler_flag
        return flags

    @cached_property
    def newline(self) -> str:
        """The text's own line end."""
        match = _LINE_END.search(self.source)
        return match.group() if match else "\n"

    def offset(self, line: int, column: int) -> int:
        """Offset in characters of a line (from 1) and UTF-8 column (from 0)."""
        start = self._starts[line - 1]
        if self._ascii:
            return start + column
        if line not in self._columns:
            self._columns[line] = self._column_map(line)
        columns = self._columns[line]
        return start + (column if columns is None else columns[column])

    def _column_map(self, line: int) -> list[int] | None:
        text = self.source[self.line_start(line) : self.line_end(line)]
        if text.isascii():
            return None
        columns: list[int] = []
        for index, char in enumerate(text):
            columns += [index] * len(char.encode("utf-8", "surrogatepass"))
        return [*columns, len(text)]

    def line_start(self, line: int) -> int:
        """Offset of the first character of a line, counted from 1."""
        return self._starts[line - 1]

    def line_end(self, line: int) -> int:
        """Offset behind the last character of a line, its line end included."""
        return self._starts[line] if line < len(self._starts) else len(self.source)

    def start(self, node: ast.expr | ast.stmt | ast.keyword | ast.excepthandler | ast.arg) -> int:
        """Where a node's text begins; for a decorated definition, at the `@` of its first decorator."""
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            first = decorators[0]
            return self.source.rindex("@", 0, self.offset(first.lineno, first.col_offset))
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.keyword | ast.excepthandler | ast.arg) -> int:
        """Where a node's text ends. Brackets around an expression are not part of it."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.end_lineno, node.end_col_offset)

    def text(self, node: ast.expr | ast.stmt | ast.keyword | ast.excepthandler | ast.arg) -> str:
        """A node's text, as written."""
        return self.source[self.start(node) : self.end(node)]
