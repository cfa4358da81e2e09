"""Functions, methods and classes of a Python file: where they are, what they contain, how complex they are.

`source` holds one parsed file with exact offsets, `scopes` cuts it into entities. No edit is made here.
"""

from __future__ import annotations

from dataclasses import replace

from swesmith_gym.languages.python.entities.scopes import Scope, scopes
from swesmith_gym.languages.python.entities.source import SourceFile
from swesmith_gym.records import CodeEntity

__all__ = ["Scope", "SourceFile", "entities", "scopes"]


def entities(path: str, source: str) -> list[CodeEntity]:
    """Every function, method and class of the file, nested ones too, in order of appearance. Raises: SyntaxError."""
    return [replace(scope.entity, path=path) for scope in scopes(source)]
