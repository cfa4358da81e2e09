"""Sealed trees on disk: made once, used again, and removed when nobody uses them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from samples import EDITS, bug

from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.tasks import sealing
from swesmith_gym.tasks import tree as trees

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


@pytest.fixture
def sealed(abacus: Testbed) -> sealing.SealedTree:
    patch = bug(*EDITS[1]).bug_patch
    wanted = ("tests/test_numbers.py::test_clamp[too low]",)
    return sealing.seal(abacus.pristine, patch, wanted, tuple(abacus.image.baseline), abacus.language)


def test_the_tree_on_disk_is_the_one_of_the_digest(abacus: Testbed, sealed: sealing.SealedTree) -> None:
    folder = sealing.materialize(sealed, abacus.backend, abacus.spec)
    assert trees.digest(trees.read(folder)) == sealed.digest
    assert sealing.materialize(sealed, abacus.backend, abacus.spec) == folder
    assert "return high\n    if" in (folder / "src/abacus/numbers.py").read_text()
    assert "test_clamp" not in (folder / "tests/test_numbers.py").read_text()


def test_what_nobody_used_makes_room(
    abacus: Testbed, sealed: sealing.SealedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sealing.materialize(sealed, abacus.backend, abacus.spec).parent
    old = time.time() - 2 * sealing.IDLE_S

    def put(name: str, moment: float) -> Path:
        path = folder / name
        path.mkdir()
        os.utime(path, (moment, moment))
        return path

    half_made, idle, used = put(".a.1", old), put("idle", old), put("used", time.time())
    monkeypatch.setattr(sealing, "KEPT", 1)
    sealing._make_room(folder, abacus.backend)
    assert [path.exists() for path in (half_made, idle, used)] == [False, False, True]
