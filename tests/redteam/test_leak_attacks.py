"""Attacks on leaks: paid where the leak is there, and by nothing in a sealed environment."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ABACUS

from swesmith_gym.envs.testbeds import prepare
from swesmith_gym.redteam import leaks
from swesmith_gym.redteam.base import Attack
from swesmith_gym.redteam.run import play
from swesmith_gym.repos.copies import covered
from swesmith_gym.sandboxes.base import Mount
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
    row = play(attack, abacus_tasks[0], sandbox="auto")
    assert row.planted
    assert (row.reward, row.reward_valid, row.succeeded) == (0.0, True, "")
    assert row.note == ""


@pytest.mark.parametrize("name", ["L09-installed-copy", "L10-wheel-in-a-cache"])
def test_a_copy_of_the_host_pays_unless_it_is_covered(name: str, abacus_tasks: TaskTable, tmp_path: Path) -> None:
    """The packages of a distribution, say, below a folder that every sandbox of the image shows."""
    prepared = prepare(abacus_tasks[0], backend="auto")
    packages = tmp_path / "lib/python3/dist-packages"
    if name.startswith("L09"):
        shutil.copytree(ABACUS / "src/abacus", packages / "abacus")
    else:
        packages.mkdir(parents=True)
        shutil.make_archive(str(packages / "abacus"), "zip", ABACUS / "src")
    mount = Mount(tmp_path / "lib", "/opt/host")
    found = covered(ABACUS, "python", prepared.spec.root_fs, [mount])
    attack = next(replace(each, plant="pass") for each in leaks.COPIES if each.id == name)
    for paths, paid in (((), True), (found, False)):
        spec = replace(prepared.spec, mounts=(*prepared.spec.mounts, mount), covered=paths)
        assert leaks.control(attack, replace(prepared, spec=spec), prepared.testbed.backend) is paid
