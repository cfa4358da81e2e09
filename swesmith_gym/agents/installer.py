"""The agent that finds out how a repository is installed: a model that runs one command a turn, and then answers.

All that it does happens in the sandbox of a `Site`; what it says is parsed, and proven by others (`repos.installing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.agents import replies
from swesmith_gym.agents.dialogue import Dialogue
from swesmith_gym.agents.replies import MalformedReply
from swesmith_gym.errors import ContextExceeded, ProfileError
from swesmith_gym.lm import prompts
from swesmith_gym.lm.base import LM, Completion, Request
from swesmith_gym.lm.prompts import Form, Text, filled
from swesmith_gym.records import ExecResult
from swesmith_gym.repos.proposals import Proposal
from swesmith_gym.repos.site import Site
from swesmith_gym.visible import shortened, visible

OURS = Path(__file__).parent / "prompts"
FORM: Form = {
    "system": Text(("python", "pythons")),
    "task": Text(("source", "reason", "log", "steps")),
    "observation": Text(("status", "output", "left")),
    "malformed": Text(("wrong", "left")),
    "refused": Text(("wrong", "left")),
}
"""What a file of its prompts holds."""
_WARN = 10
"""Replies that are left when the model is told so."""
_LOG_CHARS = 4000


@dataclass(frozen=True, slots=True)
class InstallerPrompts:
    """What the model is told: templates."""

    system: str
    task: str
    observation: str
    """After a command."""
    malformed: str
    """After a reply that is neither a command nor an answer."""
    refused: str
    """After an answer that does not stand."""


@dataclass(frozen=True, slots=True)
class InstallerLimits:
    """How much an agent may do."""

    max_steps: int = 100
    """Replies of the model, malformed ones and answers included."""
    command_s: float = 600.0
    """Time that one command may take, in seconds; the site limits all of them together."""
    output_chars: int = 10_000
    """Of one command's output that the model is shown: head and tail."""
    context_chars: int = 100_000
    """Of all messages that the model is sent at once."""
    max_tokens: int = 4096
    """Of one reply."""
    malformed: int = 5
    """Malformed replies, one after the other, that end the work."""
    answers: int = 10
    """Answers that are tried."""


class LMInstaller:
    """An `Installer` (`repos.proposals`) that asks a model. Installs one repository at a time."""

    def __init__(self, lm: LM, limits: InstallerLimits | None = None, prompts: Path | None = None) -> None:
        """`prompts`: a folder of prompts that come before ours (`install.LANGUAGE.toml`)."""
        self._lm = lm
        self._limits = limits or InstallerLimits()
        self._prompts = prompts

    @property
    def label(self) -> str:
        """The model's name."""
        return self._lm.model

    def install(self, site: Site) -> Proposal:
        """Ask, run, show, until an answer stands.

        Raises: ProfileError (no answer within the limits), LMError, SandboxError, InputError (a bad file of prompts).
        """
        texts = load_prompts(site.about.language, self._prompts)
        dialogue = self._begin(site, texts)
        malformed = answers = 0
        for left in range(self._limits.max_steps - 1, -1, -1):
            completion = self._ask(dialogue, site)
            try:
                wanted = replies.parse(completion.text)
            except MalformedReply as error:
                malformed += 1
                wrong = f"{error}{'; it was cut at its longest' if completion.finish_reason == 'length' else ''}"
                if malformed >= self._limits.malformed:
                    raise self._given_up(f"{malformed} replies one after the other were malformed: {wrong}") from error
                answer = filled(texts.malformed, wrong=wrong, left=_left(left))
            else:
                malformed = 0
                if isinstance(wanted, Proposal):
                    wrong = site.try_out(wanted)
                    if not wrong:
                        return wanted
                    answers += 1
                    if answers >= self._limits.answers:
                        raise self._given_up(f"{answers} answers were wrong")
                    answer = filled(texts.refused, wrong=self._shown(wrong), left=_left(left))
                else:
                    answer = self._observed(site.run(wanted, timeout_s=self._limits.command_s), texts, left)
            dialogue.add(completion.text, answer)
        raise self._given_up(f"no answer within {self._limits.max_steps} steps (see --max-steps)")

    def _begin(self, site: Site, texts: InstallerPrompts) -> Dialogue:
        about = site.about
        system = filled(texts.system, python=site.python, pythons=", ".join(site.pythons))
        task = filled(
            texts.task,
            source=visible(about.source),
            reason=visible(about.reason),
            log=shortened(visible(about.log), _LOG_CHARS),
            steps=str(self._limits.max_steps),
        )
        return Dialogue(system, task, self._limits.context_chars)

    def _ask(self, dialogue: Dialogue, site: Site) -> Completion:
        """One reply; a dialogue that is too long for the model is shortened. Raises: LMError."""
        while True:
            try:
                completion = self._lm.complete(Request(dialogue.messages, max_tokens=self._limits.max_tokens))
            except ContextExceeded:
                before = dialogue.chars
                dialogue.narrow()
                if dialogue.chars >= before:
                    raise
            else:
                site.transcript.note_reply(completion.text, completion.cost_usd)
                return completion

    def _observed(self, done: ExecResult, texts: InstallerPrompts, left: int) -> str:
        status = f"exit code {done.exit_code}"
        if done.timed_out:
            status = f"ended after {self._limits.command_s:g} s, which is the limit for one command"
        elif done.oom_killed:
            status = "ended: it used more memory than there is"
        output = (done.stdout + done.stderr).decode(errors="replace").rstrip()
        return filled(texts.observation, status=status, output=self._shown(output), left=_left(left))

    def _shown(self, text: str) -> str:
        return shortened(visible(text.replace("\r\n", "\n")), self._limits.output_chars)

    def _given_up(self, why: str) -> ProfileError:
        return ProfileError(f"the agent ({visible(self.label)}) has not found how to install it: {why}", step="agent")


def _left(steps: int) -> str:
    return f"Replies left: {steps}." if steps <= _WARN else ""


def load_prompts(language: str, folder: Path | None = None) -> InstallerPrompts:
    """Of repositories of a language: from `folder`, else ours. Raises: InputError (file, field, what is wrong)."""
    return InstallerPrompts(**prompts.read(f"install.{language}", OURS, folder, FORM))
