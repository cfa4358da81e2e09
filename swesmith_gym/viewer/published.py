"""SWE-smith's own figures, beside which ours are told: Yang et al., 2025, the table of its strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from swesmith_gym.markdown import table
from swesmith_gym.viewer.statistics import Group

NOTE = "In brackets: SWE-smith's figure (Yang et al., 2025)."


@dataclass(frozen=True, slots=True)
class Published:
    """One row of the table."""

    instances: int
    yield_percent: float
    cost_cents: float
    """US cents for each instance."""
    median_f2p: int
    median_edited: int
    """Lines."""


_COMBINED = Published(10_092, 96.9, 0.0, 15, 11)
SWE_SMITH = {
    "combine_file": _COMBINED,
    "combine_module": _COMBINED,
    "lm_modify": Published(17_887, 56.0, 0.38, 4, 3),
    "procedural": Published(15_641, 40.2, 0.0, 7, 5),
    "lm_rewrite": Published(4_173, 35.0, 3.93, 4, 24),
    "pr_mirror": Published(2_344, 33.8, 5.53, 3, 14),
    "all": Published(50_137, 50.1, 2.32, 6, 5),
}
"""Strategy -> its row. SWE-smith tells both ways to combine bugs in one."""
HEADS = ("candidates", "instances", "yield %", "cost in cents", "median F2P", "median edited lines")


def rows(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The groups as plain data, each with the row `swe_smith` where there is one."""
    found = ((asdict(group), SWE_SMITH.get(group.name)) for group in groups)
    return [row | ({"swe_smith": asdict(theirs)} if theirs else {}) for row, theirs in found]


def side_by_side(groups: Sequence[Group], name: str = "strategy") -> str:
    """A Markdown table, each figure with SWE-smith's beside it where there is one. `name`: of the first column."""
    return table((name, *HEADS), map(_row, groups))


def _row(group: Group) -> tuple[str, ...]:
    theirs = SWE_SMITH.get(group.name)
    pairs = (
        (group.instances, theirs and theirs.instances),
        (_rounded(group.yield_percent, 1), theirs and theirs.yield_percent),
        (_rounded(group.cost_cents, 2), theirs and theirs.cost_cents),
        (group.median_f2p, theirs and theirs.median_f2p),
        (group.median_edited, theirs and theirs.median_edited),
    )
    candidates = "unknown" if group.candidates is None else f"{group.candidates:,}"
    return group.name, candidates, *(_beside(*pair) for pair in pairs)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _beside(ours: float | None, theirs: float | None) -> str:
    text = "unknown" if ours is None else f"{ours:,.10g}"
    return text if theirs is None else f"{text} ({theirs:,.10g})"
