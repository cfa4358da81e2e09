"""One run of a test suite in a sandbox. Baseline, validation and grading all come through here."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping

from swesmith_gym.errors import SandboxDied
from swesmith_gym.languages.base import CpuLimits, Language
from swesmith_gym.records import TestReport, TestSetup
from swesmith_gym.sandboxes.base import Sandbox

REPORT_FOLDER = "/dev/shm"
MAX_REPORT_BYTES = 64 << 20
_LOG_BYTES = 20_000


def secret_path() -> str:
    """A path inside that nobody can guess: of a report, or of a request."""
    return f"{REPORT_FOLDER}/report-{secrets.token_hex(16)}"


def read_report(sandbox: Sandbox, path: str) -> bytes:
    """A report as it is; empty where there is none that can be read. Raises: SandboxDied."""
    try:
        return sandbox.read_file(path, limit=MAX_REPORT_BYTES)
    except SandboxDied:
        raise
    except OSError:
        return b""


def run_tests(
    sandbox: Sandbox,
    language: Language,
    setup: TestSetup,
    *,
    tests: Collection[str] | None = None,
    texts: bool = True,
    timeout_s: float | None = None,
    collect_only: bool = False,
    env: Mapping[str, str] | None = None,
    cpu_limits: CpuLimits | None = None,
    shuffle: int | None = None,
    left_out: Collection[str] = (),
) -> TestReport:
    """Run the tests of the tree as it is in `sandbox`.

    `tests`: exact ids to run, None for all; `texts`, `cpu_limits`, `shuffle`, `left_out`: as in `Language.runner`;
    `timeout_s`: limit in seconds, None for the set-up's own. What the runner prints decides nothing: the report comes
    back as a file of an unguessable name. Raises: SandboxDied.
    """
    report = secret_path()
    command = language.runner(
        setup,
        report,
        tests=tests,
        texts=texts,
        collect_only=collect_only,
        env=env,
        cpu_limits=cpu_limits,
        shuffle=shuffle,
        left_out=left_out,
    )
    result = sandbox.run(command.command, timeout_s=timeout_s or setup.timeout_s, env=command.env, stdin=command.stdin)
    raw = read_report(sandbox, report)
    log = (result.stdout + result.stderr)[-_LOG_BYTES:].decode(errors="replace")
    return language.parse_report(
        raw, exit_code=result.exit_code, timed_out=result.timed_out, duration_s=result.duration_s, log=log
    )
