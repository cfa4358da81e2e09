"""How long it takes to give each task of a table an id of its own, and to make environments by those ids.

    python benchmarks/registration.py [--tasks N] [--ids N] > registration.json

Tasks are synthetic; `ids` is the number of test ids in each. Times in seconds, sizes in MiB. What is measured runs in
a fresh process, so that the peak of its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_ROWS_A_GROUP = 2_500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=50_000, help="number of tasks")
    parser.add_argument("--ids", type=int, default=50, help="number of test ids a task")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(_measure(arguments.measure)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "tasks.parquet"
        _write(table, arguments.tasks, arguments.ids)
        command = [sys.executable, __file__, "--measure", str(table)]
        measured = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        size = round(table.stat().st_size / 2**20, 2)
    print(json.dumps({"tasks": arguments.tasks, "ids_per_task": arguments.ids, "file_mib": size, **measured}))
    return 0


def _measure(table: Path) -> dict[str, Any]:
    import gymnasium as gym

    import swesmith_gym

    out: dict[str, Any] = {"imported_mib": _peak_mib()}

    def timed(name: str, begin: tuple[float, float]) -> None:
        out[f"{name}_s"] = round(time.perf_counter() - begin[0], 4)
        out[f"{name}_cpu_s"] = round(time.process_time() - begin[1], 4)
        out[f"{name}_peak_mib"] = _peak_mib()

    begin = time.perf_counter(), time.process_time()
    ids = swesmith_gym.register_tasks(table)
    timed("register_first", begin)
    begin = time.perf_counter(), time.process_time()
    swesmith_gym.register_tasks(table)
    timed("register_again", begin)
    begin = time.perf_counter(), time.process_time()
    gym.make(ids[0], disable_env_checker=True).close()
    timed("make_first", begin)
    begin = time.perf_counter(), time.process_time()
    for each in ids[1:101]:
        gym.make(each, disable_env_checker=True).close()
    timed("make_100_more", begin)
    return out


def _write(path: Path, tasks: int, ids: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from swesmith_gym.tasks import schema

    passing = [f"tests/test_module_{n // 20}.py::test_case_{n}[value-{n}]" for n in range(ids)]
    with pq.ParquetWriter(path, schema.arrow_schema(), compression="zstd") as writer:
        for first in range(0, tasks, _ROWS_A_GROUP):
            rows = [_row(number, passing) for number in range(first, min(tasks, first + _ROWS_A_GROUP))]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema.arrow_schema()))


def _row(number: int, passing: list[str]) -> dict[str, Any]:
    patch = f"--- a/x.py\n+++ b/x.py\n@@ -{number} +{number} @@\n-return {number}\n+return {number + 1}\n"
    text = dict.fromkeys(("strategy", "language", "explanation", "repo_license", "failure_excerpt"), "")
    return text | {
        "instance_id": f"demo__{number:012x}",
        "repo": "demo",
        "image_key": "demo-0123456789ab",
        "fingerprint": "f" * 64,
        "operator": None,
        "bug_patch": patch,
        "gold_patch": patch,
        "FAIL_TO_PASS": [f"tests/test_x.py::test_{number}"],
        "PASS_TO_PASS": passing,
        "problem_statement": f"Calling it with {number} gives the wrong value. " * 20,
        "seed": number,
        "cost_usd": 0.0,
        "created_at": "2026-01-01T00:00:00Z",
        "repo_source": "pypi:demo==1",
        "sealed_digest": f"{number:064x}",
        "hidden_tests": [],
        "lost": [],
    }


def _peak_mib() -> float:
    """Not `getrusage`: its peak is inherited from the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


if __name__ == "__main__":
    sys.exit(main())
