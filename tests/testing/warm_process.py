"""The runner that stays, as a process of its own on a small tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from swesmith_gym.harness.worker import Step, close_suite, open_suite, run_suite
from swesmith_gym.languages.base import CpuLimits
from swesmith_gym.languages.python.language import Python
from swesmith_gym.languages.python.testing import report
from swesmith_gym.records import TestReport, TestSetup

LIMITS = CpuLimits({}, 60.0)


class Runner:
    """A warm runner on a tree, spoken to over pipes."""

    def __init__(self, root: Path, scratch: Path, byte_code: Path, **setup: Any) -> None:
        made = report.warm_command(TestSetup(**setup), [], root=str(root), scratch=[])
        env = {"PATH": os.environ["PATH"], "HOME": str(scratch), **made.env, "PYTHONPYCACHEPREFIX": str(byte_code)}
        self.root = root
        self.reports = scratch / "reports"
        self.reports.mkdir()
        command = [sys.executable, str(Python.tools / "warm.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd="/")
        assert self._line(made.stdin) == {"state": "ready", "foreign": []}

    def _line(self, data: bytes) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, *steps: Step) -> list[str]:
        """The state of each step; reports go to a folder that the runner does not tidy."""
        for step in steps:
            if "report" in step:
                step["report"] = str(self.reports / Path(step["report"]).name)
        request = self.reports / "request"
        request.write_text(json.dumps(steps))
        self.answers = self._line(f"{request}\n".encode())
        return [answer["state"] for answer in self.answers]

    def read(self, step: Step, number: int = 0) -> TestReport:
        path = Path(step["report"] if step["each"] else f"{step['report']}.{number}")
        raw = path.read_bytes() if path.exists() else b""
        return report.parse(raw, exit_code=0, timed_out=False, duration_s=0.0, log="")

    def run(
        self, files: dict[str, str | None] | None = None, tests: list[str] | None = None, **options: Any
    ) -> TestReport:
        """Open, run, close: the report of the (first) run."""
        laid = {path: None if text is None else text.encode() for path, text in (files or {}).items()}
        ran = run_suite(
            "one", tests, options.pop("limits", LIMITS), limit_s=options.pop("limit_s", 30), texts=True, **options
        )
        self.states = self.ask(open_suite("one", laid, limit_s=30), ran, close_suite("one"))
        return self.read(ran)
