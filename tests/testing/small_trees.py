"""Trees that are written for one test."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str]


def write_tree(root: Path, files: Tree) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
