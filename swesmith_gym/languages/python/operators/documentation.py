"""The operators' page of the documentation, made from their own declarations and examples.

`python -m swesmith_gym.languages.python.operators.documentation > docs/operators.md`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swesmith_gym.languages.python.operators.base import Operator
from swesmith_gym.languages.python.operators.registry import built_in

HEAD = """\
# Bug operators for Python

Made from the operators' own examples, which are also their tests: do not edit by hand, but run
`python -m swesmith_gym.languages.python.operators.documentation > docs/operators.md`.

An operator edits at least one and at most three places of one function, method or class. It is tried on every
entity that carries its tags and whose complexity lies in its range. *Likelihood* is the chance of each place
beyond the first to be edited too. Every result compiles and is not trivially equivalent to the original.
Annotations, docstrings, decorators, overload stubs and `if TYPE_CHECKING` blocks are never edited.

One of your own: `examples/write_operator.py`.
"""


def markdown() -> str:
    """The whole page."""
    operators = [operator for _, operator in sorted(built_in().items())]
    return "\n".join([HEAD, *_table(operators), *(line for each in operators for line in _section(each))])


def _table(operators: list[Operator[Any]]) -> Iterator[str]:
    yield f"## All {len(operators)}\n"
    yield "| operator | works on | tags | complexity | likelihood |"
    yield "|---|---|---|---|---|"
    for each in operators:
        low, high = each.complexity
        kinds, tags = ", ".join(sorted(each.kinds)), ", ".join(sorted(each.needs)) or "–"
        bounds = f"{low}–{'' if high is None else high}"
        yield f"| [{each.name}](#{each.name}) | {kinds} | {tags} | {bounds} | {each.likelihood:g} |"


def _section(operator: Operator[Any]) -> Iterator[str]:
    yield f"\n## {operator.name}\n"
    yield f"{operator.sentence[0].upper()}{operator.sentence[1:]}. {_paragraph(operator)}\n"
    for example in operator.valid:
        yield _code(example.before)
        yield "becomes" if len(example.after) == 1 else "becomes one of"
        yield from (_code(after) for after in sorted(example.after))
    if operator.invalid:
        yield "Left alone:\n"
        yield from (_code(source) for source in operator.invalid)


def _paragraph(operator: Operator[Any]) -> str:
    return " ".join((type(operator).__doc__ or "").split())


def _code(source: str) -> str:
    return f"```python\n{source.rstrip()}\n```\n"


if __name__ == "__main__":
    print(markdown(), end="")
