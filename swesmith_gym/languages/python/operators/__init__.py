"""Bug operators for Python: the door. `base` is the contract, `catalog` holds the operators, `engine` runs them.

To add one of your own, subclass `Operator` (or, for LibCST, `CstOperator`) and decorate it with `register`; see
`examples/write_operator.py`.
"""

from __future__ import annotations

from swesmith_gym.languages.python.operators.base import ANY, CLASS, FUNCTION, Edit, Example, Operator, replace
from swesmith_gym.languages.python.operators.concrete import CstOperator
from swesmith_gym.languages.python.operators.engine import mutations
from swesmith_gym.languages.python.operators.registry import get, names, register, unregister

__all__ = [
    "ANY",
    "CLASS",
    "FUNCTION",
    "CstOperator",
    "Edit",
    "Example",
    "Operator",
    "get",
    "mutations",
    "names",
    "register",
    "replace",
    "unregister",
]
