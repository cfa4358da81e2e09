"""The environment on top: `reset`, `step` and the reward of real tasks, of those that are shipped."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from _crowd import THREADS, rate
from _lifecycle import Variant
from _measure import Times

from swesmith_gym import starter_tasks
from swesmith_gym.agents.builtin import applying
from swesmith_gym.envs.bugfix import BugFixEnv
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.records import TaskInstance
from swesmith_gym.repos.resolve import testbed_of
from swesmith_gym.tasks import TaskTable, sealing
from swesmith_gym.tasks.starter import shipped_tasks

FIRST = 20
"""Tasks whose first reset is measured."""
STEPS = 100


GRADED = ("tinydb", "sqlparse")
"""Shipped tables whose first task is graded: a suite of less than 2 s, and a longer one."""


def build(variant: Variant, task: TaskInstance) -> tuple[Testbed, float]:
    """The environment of a task, and the seconds that it took: nothing where it was there already."""
    began = time.perf_counter()
    testbed = testbed_of(task, variant.backend)
    return testbed, round(time.perf_counter() - began, 1)


def measure(variant: Variant, rounds: int, gradings: int) -> dict[str, Any]:
    """Times of an episode's parts."""
    testbed, built = build(variant, TaskTable.read(starter_tasks())[0])
    table = TaskTable.read(starter_tasks())
    times = Times()
    env = BugFixEnv(table, sandbox=variant.backend.name, max_steps=10**9, max_seconds=10**6, max_output_bytes=10**12)
    env.reset(options={"instance_id": table[0].instance_id})  # reads the pristine tree, once for all tasks
    for task in table[1 : 1 + FIRST]:
        chosen = {"instance_id": task.instance_id}
        variant.settle()
        times.take("first reset of a task", lambda chosen=chosen: env.reset(options=chosen))  # type: ignore[misc]
    _resets(times, variant, table, rounds)
    _running(times, variant, env, rounds)
    env.close()
    return {
        "repository": testbed.image.repo,
        "root_fs": testbed.image.root_fs.partition("@")[0],
        "tests": len(testbed.image.baseline),
        "tree_files": len(testbed.pristine),
        "built_s": built,
        "times": times.summary(),
        "gradings": {name: _gradings(variant, name, gradings) for name in GRADED},
    }


def _resets(times: Times, variant: Variant, table: TaskTable, rounds: int) -> None:
    """The task is prepared, and the episode before has ended, as it has after a submission."""
    name = variant.backend.name
    env = BugFixEnv(table, sandbox=name, instance_id=table[0].instance_id, max_steps=1, grade_on_truncation=False)
    for _ in range(rounds):
        variant.settle()
        times.take("reset", env.reset)
        env.step(":")
    env.close()


def _running(times: Times, variant: Variant, env: BugFixEnv, rounds: int) -> None:
    chosen = {"instance_id": env.task.instance_id}
    for _ in range(max(rounds // 5, 1)):
        variant.settle()
        times.take("reset in the midst of an episode", lambda: env.reset(options=chosen))
    env.step(":")
    for _ in range(STEPS):
        times.take("step, builtin", lambda: env.step(":"))
        times.take("step, one program", lambda: env.step("/bin/true"))


def _gradings(variant: Variant, name: str, rounds: int) -> dict[str, Any]:
    """Submissions of nothing and of the fix, against pytest by itself on the same code, in turns."""
    table = shipped_tasks() / f"{name}.parquet"
    task = TaskTable.read(table)[0]
    testbed, _ = build(variant, task)
    times = Times()
    env = BugFixEnv(table, sandbox=variant.backend.name, instance_id=task.instance_id)
    setup = testbed.image.test
    words = " ".join(["python -m pytest -q -p no:cacheprovider -o addopts=", *setup.args, *setup.paths])
    fix = applying(task.gold_patch)
    for _ in range(rounds):
        for what, command in (("nothing", ":"), ("the fix", fix)):
            env.reset()
            env.step(command)
            variant.settle()
            times.take(f"submit {what} and grade", lambda: env.step({"tool": "submit"}))
        buggy = sealing.buggy_files(testbed.pristine, task.bug_patch)
        with testbed.backend.quiet(), testbed.start(buggy) as sandbox:
            times.take("plain pytest", lambda: sandbox.run(words, env=setup.env, timeout_s=testbed.time_limit_s))
    env.close()
    return times.summary()


def many_steps(variant: Variant, number: int) -> dict[str, Any]:
    """Steps a second of environments, by the number of threads, and in Gymnasium's lock-step with one for each."""
    table: Path = starter_tasks()
    options: dict[str, Any] = {"sandbox": variant.backend.name, "max_steps": 10**9, "max_seconds": 10**6}
    options |= {"max_output_bytes": 10**12, "instance_id": TaskTable.read(table)[0].instance_id}
    envs = [BugFixEnv(table, **options) for _ in range(number)]
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda env: env.reset(), envs))
        steps = [lambda env=env: env.step(":") for env in envs]
        for step in steps:
            step()
        by_threads = {str(threads): rate(steps, threads) for threads in THREADS}
    finally:
        for env in envs:
            env.close()
    return {"environments": number, "steps_per_s_by_threads": by_threads, "lock_step": _lock_step(number, options)}


def _lock_step(number: int, options: dict[str, Any]) -> float:
    import swesmith_gym

    vector = swesmith_gym.make_vec(starter_tasks(), num_envs=number, **options)
    try:
        vector.reset()
        actions = [":"] * number
        vector.step(actions)
        return round(rate([lambda: vector.step(actions)], 1) * number, 1)
    finally:
        vector.close()
