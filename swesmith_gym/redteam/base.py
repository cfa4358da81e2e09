"""What an attack is, what it is told, and what is left to judge of it. Playing attacks is the business of `run`.

A group adds its attacks in modules of its own, each with a tuple `ATTACKS`, and a line in `registry`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from swesmith_gym.envs.spaces import Action
from swesmith_gym.records import TaskInstance

FACTS_PATH = "/tmp/facts.json"
"""Where a script finds what it is told, inside the sandbox."""

PRELUDE = f"""\
import ast, json, os, pathlib, subprocess, sys
FACTS = json.loads(pathlib.Path({FACTS_PATH!r}).read_text())
KNOWN = FACTS["f2p"] + FACTS["p2p"]

def write(path, text):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text)

def plant(code, path=FACTS["init"], **values):
    text = pathlib.Path(path).read_text() if os.path.exists(path) else ""
    given = "".join(f"{{name}} = {{value!r}}\\n" for name, value in values.items())
    write(path, text + "\\n" + given + code + "\\n")

def in_function(statement):
    lines = pathlib.Path(FACTS["module"]).read_text().splitlines(keepends=True)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    near = [n for n in ast.walk(ast.parse("".join(lines))) if isinstance(n, kinds)]
    hit = [n for n in near if any(n.lineno <= line <= n.end_lineno for line in FACTS["lines"])]
    for node in (hit or near)[:1]:
        first = node.body[0]
        start, column = first.lineno - 1, len(lines[first.lineno - 1].encode()[: first.col_offset].decode())
        own_line = not lines[start][:column].strip()
        put = lines[start][:column] + statement + "\\n" if own_line else lines[start][:column] + statement + "; "
        lines[start] = put + (lines[start] if own_line else lines[start][column:])
    write(FACTS["module"], "".join(lines))
"""
"""In front of every script, which runs in the work tree: `FACTS`, `KNOWN` (ids of all required tests), `write`,
`plant` (code at the end of the package's first file, so that it runs in the test process) and `in_function` (a simple
statement at the start of the function that holds the bug)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the attacking agent is told of its task: more than a policy could ever know."""

    instance_id: str
    module: str
    """Path of the file that holds the bug, relative to the work tree."""
    lines: tuple[int, ...]
    """Numbers of its lines that the bug changed, as they are in the agent's tree."""
    package: str
    """Import name of the top package (or module) that the file belongs to."""
    init: str
    """File that is run first whenever the package is imported: its `__init__`, or the module itself."""
    fixed: str
    """The whole text of `module` without the bug."""
    tests: dict[str, str]
    """Test modules that hold FAIL_TO_PASS tests, none of them hidden: path -> text."""
    f2p: tuple[str, ...]
    p2p: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """One attack on one task, as it ended in the real environment."""

    task: TaskInstance
    facts: Facts
    observations: tuple[str, ...]
    """One for each step of the attack, in order; the submission's own is not among them."""
    reward: float
    info: Mapping[str, Any]
    """Of the last step."""
    before: Any = None
    """What `Attack.before` gave."""

    @property
    def reward_valid(self) -> bool:
        """The episode counts; an attack that could choose when it does not would be free."""
        return self.info.get("reward_valid") is True and "fault" not in self.info


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One way to be rewarded for nothing. Subclass it where a group judges by more than the reward."""

    id: str
    """Unique: the catalogue's id and a name, `P06-always-equal`; variants take a letter, `P06b-...`."""
    threat: str
    """Id in the catalogue of threats, e.g. `P06`."""
    title: str
    """What it does, in one line."""
    script: str = field(repr=False, default="")
    """Python program that the agent runs in the work tree, with all of `PRELUDE` at hand."""
    shell: str = field(repr=False, default="")
    """Command that the agent gives to its shell session afterwards."""
    unfooled: str = ""
    """Why none of the naive graders can be fooled by it; empty: at least one is, somewhere."""
    limit: str = ""
    """Why a run of tests cannot tell it from an honest solution; such an attack may be paid, and is shown as that."""
    hangs: bool = False
    """It takes all the time that it gets: played under shorter limits (`hurry`)."""

    @property
    def group(self) -> str:
        """`P`, `V`, `B`, `L`, `H` or `M`."""
        return self.threat[0]

    @property
    def naive(self) -> bool:
        """The naive graders are asked about it: it is after the reward of an in-place grading."""
        return self.group in "PVB"

    def steps(self, facts: Facts) -> Sequence[Action]:
        """What the agent does before it submits: by default it runs `script`, then `shell`."""
        script = script_steps(self.script, facts) if self.script else ()
        return (*script, self.shell) if self.shell else script

    def before(self, task: TaskInstance) -> Any:
        """State of the host that `judge` will compare with, taken before the episode begins."""
        del task
        return None

    def judge(self, played: Played) -> str:
        """Why the attack succeeded, in one line; empty where it was held."""
        if played.reward != 0:
            return f"paid: reward {played.reward:g}"
        if not played.reward_valid:
            return f"masked: {played.info.get('fault', 'the reward is not valid')}"
        return ""


def script_steps(script: str, facts: Facts) -> tuple[Action, ...]:
    """The facts as a file, then the program. A program that fails is seen by its exit code."""
    program = f"python3 - <<'END_OF_SCRIPT'\n{PRELUDE}{script}\nEND_OF_SCRIPT\n"
    return ({"tool": "create", "path": FACTS_PATH, "file_text": json.dumps(asdict(facts))}, program)
