"""The operators' page is up to date, and the example of a user's own operator runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from swesmith_gym.languages.python.operators.documentation import markdown
from swesmith_gym.languages.python.operators.registry import built_in

ROOT = Path(__file__).parents[2]


def test_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "operators.md").read_text(encoding="utf-8") == markdown()


def test_page_names_every_operator() -> None:
    page = markdown()
    for name, operator in built_in().items():
        assert f"\n## {name}\n" in page
        assert all(example.before.rstrip() in page for example in operator.valid)


def test_write_operator_example() -> None:
    script = ROOT / "examples" / "write_operator.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert "In `greet`, a fallback value was lost" in done.stdout
    assert '-    who = name or "world"  # nobody in particular\n+    who = name  # nobody' in done.stdout or (
        '-    return (greeting or "Hello")' in done.stdout
    )
    assert "return_none" in done.stdout
