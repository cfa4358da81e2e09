"""Write a bug operator of your own, register it, and use it beside the built-in ones.

    python examples/write_operator.py

The operator replaces `x or y` by `x`, so that a fallback is lost. Registered operators take part in
everything that this process does: `mutations`, candidate generation, validation.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from swesmith_gym import languages
from swesmith_gym.bugs.base import Ground
from swesmith_gym.bugs.procedural import Procedural
from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.operators import Edit, Example, Operator, mutations, register, replace
from swesmith_gym.records import BugCandidate

SOURCE = b'''\
def greet(name: str | None, greeting: str | None = None) -> str:
    """Greet somebody."""
    who = name or "world"  # nobody in particular
    return (greeting or "Hello") + ", " + who
'''


@register
class FallbackLoss(Operator[ast.BoolOp]):
    """Only two-part fallbacks."""

    name = "fallback_loss"
    sentence = "a fallback value was lost"
    needs = frozenset({"bool_op"})
    likelihood = 0.1
    valid = (Example.of("def f(a): return a or 1", "def f(a): return a"),)
    invalid = ("def f(a): return a and 1",)

    def sites(self, scope: Scope) -> Iterator[ast.BoolOp]:
        """Every `x or y` of the entity."""
        for node in scope.find(ast.BoolOp):
            if isinstance(node.op, ast.Or) and len(node.values) == 2:
                yield node

    def edits(self, scope: Scope, site: ast.BoolOp) -> Iterator[tuple[Edit, ...]]:
        """One way: keep the left side."""
        yield (replace(scope, site, scope.file.text(site.values[0])),)


def main() -> None:
    """Print one mutation of the new operator, then candidates of a small tree as diffs."""
    for mutation in mutations("greet.py", SOURCE.decode(), random.Random(0), ["fallback_loss"]):
        print(mutation.explanation)
    ground = Ground(
        repo="greetings",
        files={"greet.py": SOURCE},
        language=languages.get("python"),
        allowed=lambda path: not path.startswith("tests/"),
    )
    for candidate in Procedural(("fallback_loss", "return_none")).candidates(ground):
        if isinstance(candidate, BugCandidate):
            print(
                f"\n{candidate.candidate_id} {candidate.operator}: {candidate.explanation}\n{candidate.bug_patch}",
                end="",
            )


if __name__ == "__main__":
    main()
