"""Run every benchmark of this folder and keep what each prints.

    python -m benchmarks [NAME]...

A benchmark is a script here that prints one JSON object; it goes to `benchmarks/results/NAME.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Exit code 2 for an unknown name, 1 if a benchmark fails."""
    known = {path.stem: path for path in sorted(HERE.glob("*.py")) if not path.stem.startswith("_")}
    for name in names:
        if name not in known:
            print(f"benchmarks: there is no {name!r}; there are {', '.join(known)}", file=sys.stderr)
            return 2
    for name in names or known:
        print(f"benchmarks: {name}", file=sys.stderr)
        done = subprocess.run([sys.executable, known[name]], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"benchmarks: {name} failed with exit code {done.returncode}", file=sys.stderr)
            return 1
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / f"{name}.json").write_text(json.dumps(json.loads(done.stdout), indent=1) + "\n")
    subprocess.run([sys.executable, HERE / "_page.py"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
