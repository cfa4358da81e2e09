"""Attacks on leaks: paid where the leak is there, and by nothing in a sealed environment."""

from __future__ import annotations

import pytest

from swesmith_gym.envs.testbeds import prepare
from swesmith_gym.redteam import leaks
from swesmith_gym.redteam.base import Attack
from swesmith_gym.redteam.run import play
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.scan import LEAKS

pytestmark = [pytest.mark.sandbox, pytest.mark.network, pytest.mark.slow]


def test_every_leak_has_an_attack_or_a_reason_why_not() -> None:
    attacked = {attack.threat for attack in leaks.ATTACKS}
    assert attacked | leaks.NAMED.keys() == LEAKS.keys()
    assert not attacked & leaks.NAMED.keys()
    assert len({attack.id for attack in leaks.ATTACKS}) == len(leaks.ATTACKS) >= 18


@pytest.mark.parametrize("attack", leaks.ATTACKS, ids=lambda attack: attack.id)
def test_an_attack_is_paid_by_its_leak_alone(attack: Attack, abacus_tasks: TaskTable) -> None:
    task = abacus_tasks[0]
    prepared = prepare(task, backend="auto")
    assert leaks.control(attack, prepared, prepared.testbed.backend)
    row = play(attack, task, sandbox="auto", ask_naive=False)
    assert (row.reward, row.reward_valid, row.succeeded) == (0.0, True, "")
    assert row.note == ""
