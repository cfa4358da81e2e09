"""`BugFixEnv`: one synthesized bug as a Gymnasium environment.

Actions are shell commands and edit calls inside the repository's sandbox; the reward is the verdict of the
FAIL_TO_PASS and PASS_TO_PASS tests, run in a fresh sandbox when the agent submits.
"""

from __future__ import annotations

import copy
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym

from swesmith_gym.envs import actions
from swesmith_gym.envs.arguments import check_choices, check_limits
from swesmith_gym.envs.branching import EpisodeSnapshot
from swesmith_gym.envs.grading import impact_for
from swesmith_gym.envs.instructions import first_observation
from swesmith_gym.envs.rewards import Reward, sparse
from swesmith_gym.envs.spaces import Action, ActionSpace, Unicode
from swesmith_gym.envs.testbeds import TaskTestbed, prepare
from swesmith_gym.envs.tools import Tools
from swesmith_gym.errors import GradingFault, InputError, SandboxDied, SandboxError, SweSmithGymError
from swesmith_gym.harness import grade
from swesmith_gym.harness.grade import Grading
from swesmith_gym.harness.submission import from_sandbox
from swesmith_gym.records import Submission, TaskInstance, Verdict
from swesmith_gym.sandboxes.base import WORKDIR, Sandbox
from swesmith_gym.tasks import TaskTable
from swesmith_gym.tasks.sealing import HideTests
from swesmith_gym.tasks.text import encodable

_START_ATTEMPTS = 3

Result = tuple[str, float, bool, bool, dict[str, Any]]


class BugFixEnv(gym.Env[str, Action]):
    """A bug to fix in a real repository.

    Observation: `str`, any Unicode. After `reset` the task and its issue text; after `step` the command's output.
    Action: a `str` is a shell command; a `dict` is a tool call `{"tool": NAME, ...}` (schemas in `info["tools"]`).
    Reward: 0 until the end; then 1 if every FAIL_TO_PASS and PASS_TO_PASS test passes, else 0 (or what `reward` says).
    Terminated: the agent submitted. Truncated: `max_steps`, `max_seconds` or `max_output_bytes` was reached (the work
    is graded all the same, unless `grade_on_truncation` is off), or a fault of the host.

    `info` at the end holds `model_patch` (the work as a diff) and `verdict` (`records.Verdict`) or `violation` (text;
    reward 0, valid); or `fault` (text; `reward_valid` is False: leave the episode out).

    The caller closes it. Sandboxes start in `reset`. Not thread-safe; picklable through its spec only.

    Source: SWE-smith (2025) for tasks and grading; Gymnasium's Env for the interface.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012  (Gymnasium's form)

    def __init__(
        self,
        tasks: str | Path | TaskTable,
        *,
        instance_id: str | None = None,
        sandbox: str = "auto",
        max_steps: int = 50,
        max_seconds: float = 600.0,
        max_output_bytes: int = 1 << 20,
        max_observation_chars: int = 30_000,
        command_timeout_s: float = 60.0,
        hide_tests: HideTests = "functions",
        grading: Grading = "full",
        grade_on_truncation: bool = True,
        on_fault: Literal["mask", "raise"] = "mask",
        reward: Reward = sparse,
        render_mode: str | None = None,
    ) -> None:
        """`tasks`: a table or its path. `instance_id`: always this task; None: at each reset one chosen by the seed.

        Raises: TaskTableError, InputError. No sandbox is started here.
        """
        self.tasks = tasks if isinstance(tasks, TaskTable) else TaskTable.read(tasks)
        if not len(self.tasks):
            raise InputError(f"{self.tasks.name}: the task table is empty")
        check_choices(hide_tests=hide_tests, grading=grading, on_fault=on_fault, render_mode=render_mode)
        check_limits(
            max_steps=max_steps,
            max_seconds=max_seconds,
            max_output_bytes=max_output_bytes,
            max_observation_chars=max_observation_chars,
            command_timeout_s=command_timeout_s,
        )
        if instance_id is not None:
            self.tasks.get(instance_id)
        self.observation_space = Unicode()
        self.action_space = ActionSpace()
        self.render_mode = render_mode
        self._fixed = instance_id
        self._backend = sandbox
        self._max_steps, self._max_seconds, self._max_output_bytes = max_steps, max_seconds, max_output_bytes
        self._max_observation_chars, self._command_timeout_s = max_observation_chars, command_timeout_s
        self._hide_tests, self._grading = hide_tests, grading
        self._grade_on_truncation, self._on_fault, self._reward = grade_on_truncation, on_fault, reward
        self._sandbox: Sandbox | None = None
        self._prepared: TaskTestbed | None = None
        self._tools: Tools | None = None
        self._closed = False
        self._last = self._model_patch = ""

    @property
    def task(self) -> TaskInstance:
        """The task of the running episode, its answer included: for graders and the gold agent. Raises: InputError."""
        return self._episode.task

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode. `options={"instance_id": ...}` chooses the task, else the seed does.

        The first reset of a task prepares its sealed tree, and builds the environment if this host has not yet.
        Raises: TaskNotFound, ProfileError, SandboxUnavailable, SandboxDied (after three attempts), InputError (closed).
        """
        super().reset(seed=seed)
        if self._closed:
            raise InputError("reset was called after close: make a new environment with gymnasium.make")
        chosen = (options or {}).get("instance_id", self._fixed)
        task = self.tasks.get(chosen) if chosen else self.tasks[int(self.np_random.integers(len(self.tasks)))]
        self._end_sandbox()
        self._prepared = None
        self._prepared, self._sandbox = self._begin(task)
        self._tools = Tools(self._sandbox, max_observation_chars=self._max_observation_chars)
        self._steps, self._output_bytes, self._started = 0, 0, time.monotonic()
        self._last = encodable(first_observation(task))
        return self._last, {
            "instance_id": task.instance_id,
            "repo": task.repo,
            "language": task.language,
            "problem_statement": encodable(task.problem_statement),
            "workdir": WORKDIR,
            "tools": copy.deepcopy(list(actions.TOOLS)),
        }

    def step(self, action: Action) -> Result:
        """Carry out one action. Malformed actions are answered by an observation and count as steps.

        Raises: InputError (no episode is running), GradingFault (with `on_fault="raise"`).
        """
        prepared, tools = self._episode, self._tools
        if tools is None:
            raise InputError("step was called after the episode ended: call reset first")
        self._steps += 1
        try:
            call = actions.parse(action)
        except actions.MalformedAction as malformed:
            return self._continue(str(malformed), {})
        if call.tool == "submit":
            return self._finish("Submitted.", terminated=True)
        if self._seconds_left() <= 0:
            return self._finish(f"The {self._max_seconds:g} s of this episode are over: nothing was run.")
        try:
            answer = tools.run(call, timeout_s=max(0.1, min(self._command_timeout_s, self._seconds_left())))
        except SandboxDied as death:
            return self._died(prepared, death)
        return self._continue(answer.text, answer.info)

    def snapshot(self) -> EpisodeSnapshot:
        """The state of the running episode, counters included, but for the processes that commands left running.

        Raises: InputError (no episode is running), SandboxUnsupported, SandboxDied, OSError (too much was written).
        """
        tools, sandbox = self._running()
        return EpisodeSnapshot(
            instance_id=self.task.instance_id,
            sandbox=sandbox.snapshot(),
            steps=self._steps,
            output_bytes=self._output_bytes,
            seconds=time.monotonic() - self._started,
            edits=tools.edits,
            random=self.np_random.bit_generator.state,
            last=self._last,
        )

    def restore(self, snapshot: EpisodeSnapshot) -> None:
        """Go back to a snapshot of the same task; the next step goes on from there, also where the episode has ended.

        Raises: InputError (another task, or none is running), SandboxUnsupported, SandboxDied, SandboxUnavailable.
        """
        prepared = self._episode
        if snapshot.instance_id != prepared.task.instance_id:
            raise InputError(f"the snapshot of {snapshot.instance_id} is not of {prepared.task.instance_id}")
        if self._sandbox is None:
            self._sandbox = prepared.testbed.backend.start(prepared.spec)
        self._sandbox.restore(snapshot.sandbox)
        self._tools = Tools(self._sandbox, max_observation_chars=self._max_observation_chars)
        self._tools.edits = dict(snapshot.edits)
        self._steps, self._output_bytes, self._last = snapshot.steps, snapshot.output_bytes, snapshot.last
        self._started = time.monotonic() - snapshot.seconds
        self.np_random.bit_generator.state = dict(snapshot.random)

    def fork(self) -> BugFixEnv:
        """A second environment in the state of this one. The caller closes both. Raises: as `snapshot`."""
        tools, sandbox = self._running()
        twin = copy.copy(self)
        twin.action_space, twin.observation_space = copy.deepcopy((self.action_space, self.observation_space))
        twin.np_random = copy.deepcopy(self.np_random)
        twin._sandbox = sandbox.fork()
        twin._tools = Tools(twin._sandbox, max_observation_chars=self._max_observation_chars)
        twin._tools.edits = tools.edits
        return twin

    def render(self) -> str | None:
        """The last observation, for `render_mode="ansi"`."""
        return self._last if self.render_mode == "ansi" else None

    def close(self) -> None:
        """End the episode's sandbox. May be called more than once."""
        self._closed = True
        self._end_sandbox()

    def _running(self) -> tuple[Tools, Sandbox]:
        """Raises: InputError."""
        self._episode  # noqa: B018  (says what is wrong)
        if self._tools is None or self._sandbox is None:
            raise InputError("the episode has ended: call reset first")
        return self._tools, self._sandbox

    @property
    def _episode(self) -> TaskTestbed:
        if self._closed:
            raise InputError("the environment is closed: make a new one with gymnasium.make")
        if self._prepared is None:
            raise InputError("no episode is running: call reset first")
        return self._prepared

    def _begin(self, task: TaskInstance) -> tuple[TaskTestbed, Sandbox]:
        for attempt in range(1, _START_ATTEMPTS + 1):
            try:
                prepared = prepare(task, backend=self._backend, hide_tests=self._hide_tests)
                return prepared, prepared.testbed.backend.start(prepared.spec)
            except SandboxDied:
                if attempt == _START_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _seconds_left(self) -> float:
        return self._max_seconds - (time.monotonic() - self._started)

    def _continue(self, text: str, facts: dict[str, Any]) -> Result:
        self._output_bytes += len(text.encode("utf-8", "replace"))
        over = (
            self._steps >= self._max_steps or self._output_bytes >= self._max_output_bytes or self._seconds_left() <= 0
        )
        if over:
            return self._finish(text, facts=facts)
        return self._result(text, facts)

    def _finish(self, text: str, *, terminated: bool = False, facts: dict[str, Any] | None = None) -> Result:
        """The end by a submission, or else by a limit."""
        info: dict[str, Any] = {**(facts or {}), "reward_valid": True}
        if not terminated and not self._grade_on_truncation:
            return self._result(text, info, truncated=True)
        try:
            verdict = self._grade()
        except (GradingFault, SandboxError, OSError) as fault:
            return self._fault(text, fault)
        finally:
            self._end_sandbox()
        info["model_patch"] = self._model_patch
        if verdict.violation:
            info["violation"] = verdict.violation
        else:
            info["verdict"] = verdict
        reward = 0.0 if verdict.violation else float(self._reward(verdict))
        return self._result(text, info, reward=reward, terminated=terminated, truncated=not terminated)

    def _result(
        self,
        text: str,
        info: dict[str, Any],
        *,
        reward: float = 0.0,
        terminated: bool = False,
        truncated: bool = False,
    ) -> Result:
        """What every step returns: the one place that keeps what is rendered and ends what has ended."""
        self._last = text
        if terminated or truncated:
            self._end_sandbox()
        return text, reward, terminated, truncated, {**info, "step": self._steps}

    def _grade(self) -> Verdict:
        prepared, sandbox = self._episode, self._sandbox
        assert sandbox is not None
        try:
            submission = from_sandbox(sandbox, prepared.sealed.tree)
        except SandboxDied as death:
            self._blame_host(prepared, death)
            submission = Submission(violation=f"the sandbox died when the work was taken: {death}")
        self._model_patch = submission.model_patch
        with ThreadPoolExecutor(1, "closing") as beside:
            closed = beside.submit(self._end_sandbox)
            if not prepared.testbed.backend.capabilities().many:
                closed.result()
            impact = impact_for(self._grading, prepared.testbed)
            verdict = grade(prepared.task, submission, prepared.testbed, impact=impact)
        return replace(verdict, duration_s=0.0)  # equal episodes give equal infos

    def _died(self, prepared: TaskTestbed, death: SandboxDied) -> Result:
        """The sandbox went away under a command. If a fresh one works, the agent's command ended it."""
        text = "The sandbox has ended."
        try:
            self._blame_host(prepared, death)
        except GradingFault as fault:
            return self._fault(text, fault)
        finally:
            self._end_sandbox()
        return self._result(text, {"reward_valid": True, "violation": f"the sandbox died: {death}"}, truncated=True)

    def _blame_host(self, prepared: TaskTestbed, death: SandboxDied) -> None:
        """Return if a fresh sandbox works. Raises: GradingFault."""
        try:
            with prepared.testbed.backend.start(prepared.spec) as control:
                if control.run("true", timeout_s=20).exit_code == 0:
                    return
        except (SandboxError, OSError) as error:
            raise GradingFault(f"{prepared.task.instance_id}: this host starts no sandbox any more: {error}") from death
        raise GradingFault(f"{prepared.task.instance_id}: a fresh sandbox does not work either") from death

    def _fault(self, text: str, fault: SweSmithGymError | OSError) -> Result:
        self._last = text
        self._end_sandbox()
        if self._on_fault == "raise":
            raise fault if isinstance(fault, GradingFault) else GradingFault(str(fault)) from fault
        return self._result(text, {"reward_valid": False, "fault": str(fault)}, truncated=True)

    def _end_sandbox(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
        self._sandbox = self._tools = None
