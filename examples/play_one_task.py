"""Play one task by hand: look around, apply a fix, submit, and read the verdict.

python examples/play_one_task.py
"""

import gymnasium as gym

import swesmith_gym


def main() -> float:
    env = gym.make("SWESmith/BugFix-v0", tasks=swesmith_gym.starter_tasks(), max_steps=20)
    observation, info = env.reset(seed=0)
    print(observation, "\n")
    print("tools:", ", ".join(tool["function"]["name"] for tool in info["tools"]), "\n")

    for command in ("git log --oneline", "ls", "cd /tmp && pwd", "pwd"):
        observation, *_ = env.step(command)
        print(f"$ {command}\n{observation}")

    # A real agent would find the bug. Here the answer is taken from the task, to show what a solution is worth.
    gold_patch = env.unwrapped.task.gold_patch
    env.step({"tool": "create", "path": "/tmp/fix.patch", "file_text": gold_patch})
    observation, *_ = env.step("cd /testbed && git apply /tmp/fix.patch && git diff --stat")
    print(observation)

    observation, reward, _, _, info = env.step({"tool": "submit"})
    verdict = info["verdict"]
    print(f"reward {reward}: {len(verdict.f2p_success)} FAIL_TO_PASS and {len(verdict.p2p_success)} PASS_TO_PASS pass")
    env.close()
    return float(reward)


if __name__ == "__main__":
    main()
