"""Code that was compiled before, by the text that it was made from: forks need not compile what has not changed."""

from __future__ import annotations

import marshal
import os
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any, Callable, Iterator, Tuple  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

Known = Tuple[bytes, CodeType]  # noqa: UP006


class Memo:
    """What modules (`imported`) and test modules with rewritten asserts (`rewritten`) were compiled to.

    A text that is not the one on record is compiled as ever, so that what runs never depends on what is kept.
    """

    def __init__(self) -> None:
        self.imported: dict[str, Known] = {}
        self.rewritten: dict[str, Known] = {}
        self._fresh: list[tuple[str, str, bytes, CodeType]] = []

    def install(self) -> None:
        """Put it in front of the two places that compile. Before anything of the work tree is loaded."""
        self._before_imports()
        self._before_rewriting()

    def _before_imports(self) -> None:
        compile_source: Any = SourceFileLoader.source_to_code

        def source_to_code(loader: Any, data: Any, path: Any, **options: Any) -> Any:
            if not isinstance(data, bytes) or options:
                return compile_source(loader, data, path, **options)
            return self._code("imported", str(path), data, lambda: compile_source(loader, data, path))

        setattr(SourceFileLoader, "source_to_code", source_to_code)  # noqa: B010  (its declared type is narrower)

    def _before_rewriting(self) -> None:
        from _pytest.assertion import rewrite

        rewrite_test: Any = getattr(rewrite, "_rewrite_test", None)
        if rewrite_test is None:
            return

        def _rewrite_test(path: Any, config: Any) -> tuple[os.stat_result, CodeType]:
            data = path.read_bytes()
            code = self._code("rewritten", str(path), data, lambda: rewrite_test(path, config)[1])
            return os.stat(path), code

        setattr(rewrite, "_rewrite_test", _rewrite_test)  # noqa: B010  (private, so that its type is not declared)

    def _code(self, kind: str, path: str, data: bytes, make: Callable[[], CodeType]) -> CodeType:
        known: Known | None = getattr(self, kind).get(path)
        if known is not None and known[0] == data:
            return known[1]
        code = make()
        self._fresh.append((kind, path, data, code))
        return code

    def compiled(self, path: str) -> CodeType | None:
        """What the module of this file was made of here; None: that is not known."""
        fresh = [code for kind, other, _, code in self._fresh if (kind, other) == ("imported", path)]
        return fresh[-1] if fresh else self.imported.get(path, (b"", None))[1]

    def fresh(self) -> Iterator[bytes]:
        """What this process has compiled itself, for `learn` in another one."""
        for kind, path, data, code in self._fresh:
            yield marshal.dumps((kind, path, data, code))

    def learn(self, part: bytes) -> None:
        """Keep what another process has compiled."""
        kind, path, data, code = marshal.loads(part)
        getattr(self, kind)[path] = (data, code)
