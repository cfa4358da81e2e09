"""The reference's own candidates on marshmallow give the reference's own FAIL_TO_PASS and PASS_TO_PASS sets.

Every difference is explained here:

- Ids that hold white space are missing in the reference, which parses printed output: they are left out here.
- Candidates 010, 022 and 027 stop the collection. The reference runs `pytest` as it is, which then runs nothing, so its
  sets are empty; ours are rejected, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from swesmith_gym import sandboxes
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.harness.validate import ValidationSettings, validate_all
from swesmith_gym.pipeline import candidates
from swesmith_gym.records import RejectedCandidate, TaskInstance
from swesmith_gym.repos import impacts
from swesmith_gym.repos.resolve import ensure_built

DATA = Path(__file__).parent.parent / "data" / "reference_validation" / "marshmallow"
COLLECTION_STOPPED = {
    "marshmallow-010": "collection_error",
    "marshmallow-022": "all_tests_broken",
    "marshmallow-027": "all_tests_broken",
}

pytestmark = [pytest.mark.sandbox, pytest.mark.network, pytest.mark.slow]
Result = TaskInstance | RejectedCandidate


@pytest.fixture(scope="module")
def found(home: Path) -> dict[str, Result]:
    testbed = ensure_built("marshmallow", sandboxes.backend(None), lambda _: None)
    assert len([t for t, why in testbed.image.quarantined.items() if why == "unstable_id"]) in (2, 4, 6)
    assert len(testbed.passing) == 1190
    impact = impacts.ensure(testbed, LocalExecutor(2), lambda *_: None)
    assert impact.refused == ""
    given = candidates.read(DATA / "candidates.jsonl")
    settings = ValidationSettings("2026-01-01T00:00:00Z")
    with closing(impacts.runs(testbed, impact, timeout_s=None, whole=True)) as runs:
        return {given[at].candidate_id: result for at, result in validate_all(given, runs, LocalExecutor(2), settings)}


EXPECTED = {row["candidate_id"]: row for row in json.loads((DATA / "expected.json").read_text())["results"]}


def visible(ids: Iterable[str]) -> list[str]:
    return sorted(test for test in ids if not re.search(r"\s", test))


@pytest.mark.parametrize("candidate_id", EXPECTED)
def test_as_the_reference(found: dict[str, Result], candidate_id: str) -> None:
    wanted, result = EXPECTED[candidate_id], found[candidate_id]
    if isinstance(result, TaskInstance):
        assert visible(result.FAIL_TO_PASS) == sorted(wanted["FAIL_TO_PASS"])
        assert len(visible(result.PASS_TO_PASS)) == wanted["n_pass_to_pass"]
        assert result.lost == ()
    else:
        assert wanted["FAIL_TO_PASS"] == []
        assert result.reason in {COLLECTION_STOPPED.get(candidate_id, "no_failing_test"), "equivalent"}
