"""Branching episodes: snapshot, restore and fork, counters and undo history included."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.errors import InputError
from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]


@pytest.fixture
def env(abacus_tasks: TaskTable) -> Iterator[BugFixEnv]:
    made = BugFixEnv(abacus_tasks, instance_id=abacus_tasks[0].instance_id)
    made.reset(seed=1)
    yield made
    made.close()


SOURCE = "src/abacus/numbers.py"


def fix(env: BugFixEnv) -> None:
    """Undo the bug, as the gold agent would."""
    env.step("git apply - <<'PATCH'\n" + env.task.gold_patch + "PATCH")


def test_restore_goes_back_with_files_session_and_counters(env: BugFixEnv) -> None:
    env.step("cd src && export WHO=me && echo kept > /tmp/kept && echo new > new.txt")
    snap = pickle.loads(pickle.dumps(env.snapshot()))
    env.step("rm new.txt && cd / && export WHO=you && echo later > /tmp/later && rm /tmp/kept")
    env.restore(snap)
    text, _, _, _, info = env.step('echo "$WHO $PWD $(cat new.txt) $(ls /tmp)"')
    assert text.strip() == "me /testbed/src new kept"
    assert info["step"] == 2
    assert env.snapshot().random == snap.random


def test_an_episode_that_has_ended_can_be_gone_back_into(env: BugFixEnv) -> None:
    snap = env.snapshot()
    assert env.step({"tool": "submit"})[1:3] == (0.0, True)
    with pytest.raises(InputError, match="ended"):
        env.snapshot()
    env.restore(snap)
    fix(env)
    assert env.step({"tool": "submit"})[1:3] == (1.0, True)


def test_a_fork_goes_its_own_way(env: BugFixEnv) -> None:
    env.step({"tool": "str_replace", "path": SOURCE, "old_str": '"""Arithmetic', "new_str": '"""Changed'})
    twin = env.fork()
    try:
        fix(twin)
        twin.step("touch only-there")
        assert "only-there" not in env.step("ls")[0]
        assert twin.step({"tool": "submit"})[1] == 1.0
        assert "Changed" in env.step("head -1 " + SOURCE)[0]
        assert "no edit" not in env.step({"tool": "undo_edit", "path": SOURCE})[0].lower()
        assert "Arithmetic" in env.step("head -1 " + SOURCE)[0]
        assert env.step({"tool": "submit"})[1] == 0.0
    finally:
        twin.close()
    assert env.np_random is not twin.np_random


def test_branching_wants_a_running_episode_of_the_task(env: BugFixEnv, abacus_tasks: TaskTable) -> None:
    snap = env.snapshot()
    env.reset(seed=2)
    env.restore(snap)
    other = BugFixEnv(abacus_tasks, instance_id=abacus_tasks[1].instance_id)
    with pytest.raises(InputError, match="no episode"):
        other.snapshot()
    other.reset(seed=1)
    with pytest.raises(InputError, match="is not of"):
        other.restore(snap)
    other.close()
    with pytest.raises(InputError, match="closed"):
        other.fork()
