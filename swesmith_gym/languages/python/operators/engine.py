"""Runs operators over a file: chooses places, checks results, words explanations.

Every mutation that leaves here compiles and differs from the original in its byte code. Choices depend on the caller's
random generator, the file's text and the operator's name alone: not on which other operators run.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from swesmith_gym.languages.base import Mutation
from swesmith_gym.languages.python.entities import Scope, scopes
from swesmith_gym.languages.python.equivalence import snippet_compiles, snippet_equivalent
from swesmith_gym.languages.python.operators import registry
from swesmith_gym.languages.python.operators.base import Edit, Operator

MAX_EDITS = 3
MAX_TRIES = 8
MAX_WAYS = 3
_SHOWN = 60


def mutations(path: str, source: str, rng: random.Random, names: Collection[str] | None = None) -> Iterator[Mutation]:
    """For each entity and fitting operator at most one mutation. Raises: SyntaxError, InputError (unknown name)."""
    chosen = registry.select(names)
    root = rng.getrandbits(64)
    for number, scope in enumerate(scopes(source)):
        entity = replace(scope.entity, path=path)
        for operator in chosen:
            if not operator.fits(entity):
                continue
            sites = list(operator.sites(scope))
            if not sites:
                continue
            own = random.Random(f"{root}:{number}:{entity.name}:{operator.name}")
            edits = apply(operator, scope, sites, own)
            if edits:
                changed = spliced(source, edits)
                yield Mutation(path, operator.name, entity, changed, explain(operator, scope, edits))


def apply(operator: Operator[Any], scope: Scope, sites: list[Any], rng: random.Random) -> tuple[Edit, ...]:
    """Edits of one or more of the places that together make a sound mutation; empty where none does."""
    order = rng.sample(sites, len(sites))
    several = [order[0], *(site for site in order[1:] if rng.random() < operator.likelihood)][:MAX_EDITS]
    if len(several) > 1:
        edits = _together([way for site in several for way in _ways(operator, scope, site, rng)[:1]])
        if is_sound(scope, edits):
            return edits
    for site in order[:MAX_TRIES]:
        for way in _ways(operator, scope, site, rng)[:MAX_WAYS]:
            if is_sound(scope, ordered(way)):
                return ordered(way)
    return ()


def _ways(operator: Operator[Any], scope: Scope, site: Any, rng: random.Random) -> list[tuple[Edit, ...]]:
    """The ways to edit one place, in random order."""
    ways = [way for way in operator.edits(scope, site) if way]
    rng.shuffle(ways)
    return ways


def _together(proposals: list[tuple[Edit, ...]]) -> tuple[Edit, ...]:
    """All edits of the proposals in order of position; a proposal that meets an earlier one is left out."""
    kept: list[Edit] = []
    for proposal in proposals:
        if not any(edit.start <= other.end and other.start <= edit.end for edit in proposal for other in kept):
            kept += proposal
    return ordered(kept)


def ordered(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Edits in order of position."""
    return tuple(sorted(edits, key=lambda edit: edit.start))


def is_sound(scope: Scope, edits: tuple[Edit, ...]) -> bool:
    """The edits stay within the entity, change it, compile, and are not trivially equivalent."""
    first, last = scope.span
    if not edits or edits[0].start < first or edits[-1].end > last:
        return False
    before = scope.file.source[first:last]
    after = spliced(before, edits, first)
    if after == before or not snippet_compiles(scope, after):
        return False
    return not snippet_equivalent(scope, after)


def spliced(text: str, edits: tuple[Edit, ...], offset: int = 0) -> str:
    """The text with ordered, disjoint edits applied; `offset`: where in the file the text begins."""
    parts: list[str] = []
    at = 0
    for edit in edits:
        parts += [text[at : edit.start - offset], edit.text]
        at = edit.end - offset
    return "".join([*parts, text[at:]])


def explain(operator: Operator[Any], scope: Scope, edits: tuple[Edit, ...]) -> str:
    """One sentence: where, what, and the texts if they are short."""
    detail = ""
    if len(edits) == 1:
        before = " ".join(scope.file.source[edits[0].start : edits[0].end].split())
        after = " ".join(edits[0].text.split())
        if len(before) <= _SHOWN and len(after) <= _SHOWN:
            detail = f" (`{before}` became `{after}`)" if before and after else f" (`{before or after}`)"
    return f"In `{scope.entity.name}`, {operator.sentence}{detail}."
