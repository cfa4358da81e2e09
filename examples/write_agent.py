"""Write an agent: anything with a `run(session)`. This one looks around and gives up politely.

swesmith-gym rollout --tasks TASKS.parquet --agent examples.write_agent:CuriousAgent --out rollouts/curious
"""

import swesmith_gym
from swesmith_gym.agents import Session
from swesmith_gym.executors import SerialExecutor
from swesmith_gym.tasks import TaskTable
from swesmith_gym.trajectories import RolloutSettings, rollout


class CuriousAgent:
    """A place to put a model: `session.observation` is what it reads, `session.step` is what it does."""

    def run(self, session: Session) -> None:
        print(session.info["problem_statement"].splitlines()[0])
        session.step("git ls-files | head -n 20")
        output = session.step("python -m pytest -q -x 2>&1 | tail -n 5")
        if "passed" in output:
            session.step({"tool": "bash", "command": "echo 'the visible tests pass: the bug is not covered by them'"})
        session.submit()


def main() -> list[float]:
    tasks = TaskTable(TaskTable.read(swesmith_gym.starter_tasks())[:2])
    settings = RolloutSettings("curious")
    episodes = list(rollout(tasks, lambda task, seed: CuriousAgent(), SerialExecutor(), settings))
    for episode in episodes:
        print(episode.instance_id, "steps:", len(episode.steps), "reward:", episode.reward)
    return [episode.reward for episode in episodes]


if __name__ == "__main__":
    main()
