"""Every attack there is, by id: a module of attacks is a line here."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest

from swesmith_gym.errors import InputError
from swesmith_gym.redteam import (
    byte_code,
    host,
    insiders,
    leaks,
    lenient,
    masking,
    persistence,
    process_exits,
    process_patches,
    runner_files,
    special_cases,
    verdict,
)
from swesmith_gym.redteam.base import Attack

_MODULES = (
    process_exits,
    process_patches,
    runner_files,
    byte_code,
    insiders,
    lenient,
    special_cases,
    verdict,
    persistence,
    masking,
    leaks,
    host,
)
ATTACKS: tuple[Attack, ...] = tuple(
    sorted((each for module in _MODULES for each in module.ATTACKS), key=lambda each: each.id)
)
"""All groups, in order."""


def select(wanted: Sequence[str]) -> tuple[Attack, ...]:
    """Attacks by id, by id of the catalogue (`P06`), or by group (`P`), each once; nothing wanted: all.

    Raises: InputError (a name that no attack has).
    """
    chosen: dict[str, Attack] = {}
    for name in wanted:
        found = [each for each in ATTACKS if name in (each.id, each.id.partition("-")[0], each.threat, each.group)]
        if not found:
            raise InputError(f"there is no attack {name!r}: give an id, or one of the groups P, V, B, L, H, M")
        chosen |= {each.id: each for each in found}
    return tuple(each for each in ATTACKS if each.id in chosen) if wanted else ATTACKS


def draw(attacks: Sequence[Attack], number: int | None, seed: int) -> tuple[Attack, ...]:
    """`number` of them, drawn by the seed: of each group as many as of any other, where it has them. None: all."""
    if number is None:
        return tuple(attacks)
    rng = random.Random(seed)
    groups: dict[str, list[Attack]] = defaultdict(list)
    for each in rng.sample(attacks, len(attacks)):
        groups[each.group].append(each)
    turns = zip_longest(*(group for _, group in sorted(groups.items())))
    drawn = [each for turn in turns for each in turn if each is not None][:number]
    return tuple(each for each in attacks if each in drawn)
