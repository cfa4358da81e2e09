"""The conformance suite of the sandbox contract, for every backend: `check_all(backend)`.

From a shell: `python -m swesmith_gym.sandboxes.conformance --sandbox NAME`. What it covers and what its words mean is
in `docs/conformance.md`. It does not cover a driver that dies, nor what is stored (`tests/` does).
"""

from __future__ import annotations

from swesmith_gym.sandboxes.conformance.case import Case, Finding, Status
from swesmith_gym.sandboxes.conformance.cases import CASES
from swesmith_gym.sandboxes.conformance.run import check, check_all

__all__ = ["CASES", "Case", "Finding", "Status", "check", "check_all"]
