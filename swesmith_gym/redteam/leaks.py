"""Attacks that look for the answer where environments are known to leave it, put it back, and submit.

In a sealed environment there is nothing to find. Each attack carries the leak that it lives on (`plant`): with that in
place it has to be paid, which shows that it looks where it says. Leaks that do not give the text itself are in `NAMED`.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from swesmith_gym import harness
from swesmith_gym.envs.testbeds import TaskTestbed
from swesmith_gym.errors import SandboxError
from swesmith_gym.harness.submission import from_sandbox
from swesmith_gym.redteam.base import Attack, script_steps
from swesmith_gym.redteam.facts import facts_of
from swesmith_gym.redteam.leak_base import PLANT, LeakAttack
from swesmith_gym.redteam.leak_copies import COPIES
from swesmith_gym.redteam.leak_history import HISTORY
from swesmith_gym.sandboxes.base import SandboxBackend

NAMED = {
    "L14": "needs a verifier that answers; submitting ends the episode, and nothing of the run is left inside",
    "L15": "the statement is text for the policy itself: `tasks scan` compares it with the fix",
    "L16": "a name tells the kind of the bug, not the text: `tasks scan` looks for such names",
    "L17": "a time stamp tells the file, which is less than the text: `tasks scan` compares them",
}
"""Leaks that no script can turn into a fix by itself -> why, and what looks for them."""

ATTACKS: tuple[Attack, ...] = (*HISTORY, *COPIES)


def control(attack: Attack, prepared: TaskTestbed, backend: SandboxBackend) -> bool | None:
    """The attack is paid where its leak is planted: it works, and only the seal stands against it. None: it has none.

    Raises: SandboxError (the leak could not be planted), SandboxUnavailable, GradingFault.
    """
    if not isinstance(attack, LeakAttack):
        return None
    facts = facts_of(prepared)
    told = json.dumps(asdict(facts)).encode()
    with backend.start(prepared.spec) as sandbox:
        sandbox.run("cat > /tmp/facts.json", stdin=told)
        (_, program) = script_steps(PLANT + attack.plant, facts)
        planted = sandbox.run(str(program))
        if planted.exit_code != 0:
            said = planted.stderr.decode(errors="replace").strip()[-300:]
            raise SandboxError(f"the leak of {attack.id} could not be planted: {said}")
        (_, program) = script_steps(attack.script, facts)
        sandbox.run(str(program), timeout_s=120)
        submission = from_sandbox(sandbox, prepared.sealed.tree)
    return harness.grade(prepared.task, submission, prepared.testbed).resolved
