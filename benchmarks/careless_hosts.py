"""Which careless hosts the attacks on the host hit: inside of sandboxes that play the host.

    python benchmarks/careless_hosts.py --out campaigns/careless_hosts.json   # on a task of each of three repositories
    python benchmarks/careless_hosts.py                                       # on one, to standard output

`--table docs/security.md` puts the Markdown table between its marks there. The exit code is 1 if an attack does not
hit a host that it names: then it proves nothing that this package is not hit by it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _measure import machine

from swesmith_gym.envs.testbeds import prepare
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.home import write_atomic
from swesmith_gym.markdown import write_between
from swesmith_gym.records import TaskInstance
from swesmith_gym.redteam import host
from swesmith_gym.redteam.base import Attack
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.starter import shipped_tasks

REPOS = ("tinydb", "h11", "toolz")
MARKS = (
    "<!-- careless hosts: made by benchmarks/careless_hosts.py --table FILE -->",
    "<!-- end of careless hosts -->",
)


def main() -> int:
    options = _options()
    tasks = [TaskTable.read(shipped_tasks() / f"{name}.parquet")[0] for name in options.repos]
    began = time.monotonic()
    pairs = [(attack, task) for task in tasks for attack in host.ATTACKS]
    done = sorted(
        LocalExecutor(options.workers).map(lambda pair: _controls(*pair, options.sandbox), pairs),
        key=lambda each: each.index,
    )
    found = [(pairs[each.index][1].repo, control) for each in done for control in each.value]
    controls = [control for _, control in found]
    results = {
        "machine": machine(),
        "attacks": len(host.ATTACKS),
        "attacks_that_hit": len({each.attack for each in controls if each.hit}),
        "careless_hosts_hit": sorted({each.host for each in controls if each.hit}),
        "careless_hosts_never_hit": sorted(set(host.HOSTS) - {each.host for each in controls if each.hit}),
        "missed": [{"repo": repo, **asdict(each)} for repo, each in found if not each.hit],
        "not_played": host.NOT_PLAYED,
        "seconds": round(time.monotonic() - began, 1),
        "rows": [{"repo": repo, **asdict(each)} for repo, each in found],
    }
    text = json.dumps(results, indent=1) + "\n"
    if options.out:
        write_atomic(options.out, text)
    if options.table:
        write_between(options.table, MARKS, host.table(controls))
    print(text, end="")
    return 1 if results["missed"] else 0


def _controls(attack: Attack, task: TaskInstance, sandbox: str) -> Sequence[Any]:
    return host.control(attack, prepare(task, backend=sandbox))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the evidence goes; without it one repository is played")
    parser.add_argument("--table", type=Path, help="where the Markdown table goes")
    parser.add_argument("--repos", nargs="*")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sandbox", default="auto")
    options = parser.parse_args()
    options.repos = options.repos or (REPOS if options.out else REPOS[:1])
    return options


if __name__ == "__main__":
    sys.exit(main())
