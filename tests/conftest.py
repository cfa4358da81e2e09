"""The small real repository that tests play on: built once a session, in a state folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lm.small_model import small_model
from samples import ABACUS, EDITS, bug

from swesmith_gym import sandboxes
from swesmith_gym.executors import LocalExecutor
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.harness.validate import ValidationSettings
from swesmith_gym.pipeline.validation import ValidationJob, run
from swesmith_gym.pipeline.workplace import Workplace
from swesmith_gym.tasks import TaskTable

__all__ = ["small_model"]
collect_ignore = ["data"]


def pytest_configure() -> None:
    """Tests look for what is left over, and change trees: sandboxes are kept ready only where a test asks for it.

    Before any test module is imported, since some make a backend when they are.
    """
    os.environ["SWESMITH_GYM_WARM_SANDBOXES"] = "0"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder for the whole session, set in the environment."""
    folder = tmp_path_factory.mktemp("home")
    before = os.environ.get("SWESMITH_GYM_HOME")
    os.environ["SWESMITH_GYM_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["SWESMITH_GYM_HOME"]
    else:
        os.environ["SWESMITH_GYM_HOME"] = before


@pytest.fixture(scope="session")
def abacus(home: Path) -> Testbed:
    """The testbed of the small package, built by the same commands as any other."""
    from swesmith_gym.repos.add import add
    from swesmith_gym.repos.resolve import ensure_built

    add(str(ABACUS), "abacus")
    return ensure_built("abacus", sandboxes.backend(None), lambda _: None)


@pytest.fixture(scope="session")
def abacus_table(abacus: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three validated tasks of it."""
    folder = tmp_path_factory.mktemp("abacus")
    job = ValidationJob(
        candidates=[bug(*edit) for edit in EDITS],
        testbeds={"abacus": abacus},
        out=folder / "tasks.parquet",
        rejected=folder / "rejected.jsonl",
        settings=ValidationSettings("2026-01-01T00:00:00Z"),
    )
    table, rejected = run(job, Workplace(abacus.backend, LocalExecutor(2)))
    assert not rejected
    assert len(table) == len(EDITS)
    return folder / "tasks.parquet"


@pytest.fixture(scope="session")
def abacus_tasks(abacus_table: Path) -> TaskTable:
    return TaskTable.read(abacus_table)
