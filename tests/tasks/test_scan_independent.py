"""The leak scan finds what was planted by somebody who had not read it: see `independent_leaks`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

import pytest
from independent_leaks import ALL, PRELUDE, Leak
from staging import Stage, stage_of

from swesmith_gym.evaluation import scan
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.scan import LEAKS, Finding

pytestmark = [pytest.mark.sandbox, pytest.mark.network, pytest.mark.slow]


def rounds() -> list[list[Leak]]:
    """The leaks that exclude each other, one of each channel at a time."""
    channels = defaultdict(list)
    for planted in ALL:
        if planted.channel:
            channels[planted.channel].append(planted)
    return [[planted for planted in row if planted] for row in zip_longest(*channels.values())]


EPISODE = [planted for planted in ALL if not planted.channel and not planted.image]
IMAGE = [planted for planted in ALL if planted.image]


@pytest.fixture(scope="module")
def stage(abacus_tasks: TaskTable) -> Stage:
    return stage_of(abacus_tasks)


def program(planted: Iterable[Leak]) -> list[str]:
    return [PRELUDE, *(each.script for each in planted)]


def missed(stage: Stage, planted: Sequence[Leak], findings: Sequence[Finding]) -> list[str]:
    def is_found(each: Leak) -> bool:
        place = each.place.replace("{ID}", str(stage.facts["ID"])).replace("{OPERATOR}", str(stage.facts["OPERATOR"]))
        return any(found.leak in each.ids and place in found.place for found in findings)

    return [each.name for each in planted if not is_found(each)]


def test_more_than_a_hundred_leaks_of_every_kind_that_can_be_planted() -> None:
    assert len({planted.name for planted in ALL}) == len(ALL) >= 110
    by_other_means = {"L08", "L15"}
    assert {leak for planted in ALL for leak in planted.ids} | by_other_means == set(LEAKS)
    places = [planted.place for planted in ALL if not planted.channel]
    assert [place for place in places if sum(place in other for other in places) > 1] == []  # none stands for another


def test_leaks_in_an_episode_are_found(stage: Stage) -> None:
    with scan.start(stage.item) as sandbox:
        stage.plant(sandbox, *program(EPISODE))
        assert missed(stage, EPISODE, scan.search_in(stage.item, sandbox).findings) == []


def test_leaks_in_the_image_are_found(stage: Stage, tmp_path: Path) -> None:
    with stage.image(tmp_path, ("/opt/env", "/opt/bytecode"), *program(IMAGE)) as item:
        assert missed(stage, IMAGE, scan.search_image(item).findings) == []


@pytest.mark.parametrize("planted", rounds(), ids=lambda planted: " + ".join(each.name for each in planted))
def test_leaks_that_exclude_others_are_found(stage: Stage, planted: list[Leak]) -> None:
    with scan.start(stage.item) as sandbox:
        stage.plant(sandbox, *program(planted))
        assert missed(stage, planted, scan.search_in(stage.item, sandbox).findings) == []
