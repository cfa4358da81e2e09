"""A picture of what each operator's candidates became, from the tables of a folder and what is kept beside them.

python benchmarks/yields.py                                  # the shipped tables, into their folder
python benchmarks/yields.py --tables tasks --out yields.svg  # one's own, made by `swesmith-gym run`
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from swesmith_gym.pipeline import provenance
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.starter import shipped_tasks

KEPT = "task"
COLOURS = {
    KEPT: "#2a7f62",
    "no_failing_test": "#c9ced6",
    "timeout": "#d9a441",
    "collection_error": "#b5523b",
    "all_tests_broken": "#7b4b94",
    "other": "#6b7480",
}


def outcomes(tables: Path) -> dict[str, Counter[str]]:
    """Operator -> what became of its candidates -> how many. Raises: InputError, SystemExit (not known of all)."""
    dropped = provenance.dropped(tables)
    if dropped is None:
        raise SystemExit(f"{tables}: not every table has its NAME.provenance.json with what was dropped")
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for task in TaskTable.read(tables):
        found[task.operator or task.strategy][KEPT] += 1
    for group in dropped:
        kind = group.reason if group.reason in COLOURS else "other"
        found[group.operator or group.strategy][kind] += group.candidates
    return dict(found)


def draw(found: Mapping[str, Counter[str]], out: Path) -> None:
    """One bar an operator, by yield, the best at the top. Equal figures give equal bytes."""
    mpl.rcParams.update({"svg.hashsalt": "yields", "svg.fonttype": "none", "font.size": 9})
    order = sorted(found, key=lambda name: (found[name][KEPT] / found[name].total(), name))
    kinds = [KEPT, *(kind for kind, _ in sum(found.values(), Counter()).most_common() if kind != KEPT)]
    figure, axes = plt.subplots(figsize=(8, 0.24 * len(order) + 1.2), layout="constrained")
    left = [0.0] * len(order)
    for kind in kinds:
        widths = [100 * found[name][kind] / found[name].total() for name in order]
        axes.barh(range(len(order)), widths, left=left, color=COLOURS[kind], label=kind, height=0.78)
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(order)), [f"{name}  ({found[name].total()})" for name in order])
    axes.set(xlim=(0, 100), ylim=(-0.6, len(order) - 0.4), xlabel="% of candidates")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper left", ncols=len(kinds), frameon=False)
    figure.savefig(out, metadata={"Date": None})
    plt.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=shipped_tasks(), help="folder of task tables")
    parser.add_argument("--out", type=Path, help="where the picture goes; default: yields.svg beside the tables")
    options = parser.parse_args()
    draw(outcomes(options.tables), options.out or options.tables / "yields.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
