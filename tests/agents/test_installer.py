"""The loop of the agent that installs: limits, malformed replies, refused answers, models that fail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from swesmith_gym.agents.installer import FORM, InstallerLimits, LMInstaller, load_prompts
from swesmith_gym.errors import BudgetExhausted, ContextExceeded, InputError, LMError, ProfileError
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.lm.prompts import Text
from swesmith_gym.records import ExecResult
from swesmith_gym.repos.proposals import Proposal
from swesmith_gym.repos.site import About
from swesmith_gym.repos.transcripts import Transcript

LOOK = "```bash\nls\n```"
DONE = '```toml\npython = "3.11"\ninstall = ["a"]\ntest_command = "pytest"\n```'
PROPOSAL = Proposal("3.11", ("a",), "pytest")


class Script:
    model = "m\x1b[1m"

    def __init__(self, answers: Iterable[str | LMError], finish: str = "stop", cost: float | None = 0.5) -> None:
        self.answers, self.finish, self.cost = iter(answers), finish, cost
        self.requests: list[Request] = []

    def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        answer = next(self.answers)
        if isinstance(answer, LMError):
            raise answer
        return Completion(answer, self.model, self.finish, None, None, self.cost)

    @property
    def shown(self) -> str:
        return self.requests[-1].messages[-1]["content"]


class Place:
    """A site that runs nothing."""

    python, pythons = "3.11", ("3.11", "3.9")
    about = About("pypi:x==1", "python", "1", "the step failed with $HOME", "log \x1b[31m")

    def __init__(self, folder: Path, *verdicts: str) -> None:
        self.transcript = Transcript(folder / "t.jsonl")
        self.verdicts = list(verdicts)
        self.ran: list[tuple[str, float]] = []
        self.tried: list[Proposal] = []
        self.result = ExecResult(0, b"out\x1b[1m\n", b"err\n", 0.0)

    def run(self, command: str, *, timeout_s: float) -> ExecResult:
        self.ran.append((command, timeout_s))
        return self.result

    def try_out(self, proposal: Proposal) -> str:
        self.tried.append(proposal)
        return self.verdicts.pop(0) if self.verdicts else ""


def install(script: Script, place: Place, **limits: int) -> Proposal:
    return LMInstaller(script, InstallerLimits(**limits)).install(place)  # type: ignore[arg-type]


def test_commands_then_an_answer(tmp_path: Path) -> None:
    script, place = Script([LOOK, DONE]), Place(tmp_path)
    assert install(script, place) == PROPOSAL
    assert place.ran == [("ls", 600.0)]
    assert script.shown == "exit code 0\n<output>\nout⟨ESC⟩[1m\nerr\n</output>\n"
    system, task = (message["content"] for message in script.requests[0].messages)
    assert "Python 3.11" in system
    assert "out of 3.11, 3.9" in system
    assert "failed with $HOME" in task
    assert "\x1b" not in task
    assert (place.transcript.steps, place.transcript.cost_usd) == (2, 1.0)


def test_a_refused_answer_goes_back_with_the_reason(tmp_path: Path) -> None:
    script, place = Script([DONE, DONE]), Place(tmp_path, "2 of 3 tests fail\nlog")
    assert install(script, place) == PROPOSAL
    assert "not accepted:\n\n2 of 3 tests fail\nlog" in script.shown
    assert len(place.tried) == 2


def test_a_malformed_reply_is_answered(tmp_path: Path) -> None:
    script, place = Script(["hm", LOOK, "hm", DONE], finish="length"), Place(tmp_path)
    assert install(script, place, malformed=2) == PROPOSAL
    assert "not carried out: it holds no blocks" in script.shown
    assert "cut at its longest" in script.shown


@pytest.mark.parametrize(
    ("answers", "limits", "said"),
    [
        (["hm"] * 3, {"malformed": 3}, "3 replies one after the other were malformed: it holds no blocks"),
        ([LOOK] * 4, {"max_steps": 4}, "no answer within 4 steps"),
        ([DONE] * 2, {"answers": 2}, "2 answers were wrong"),
    ],
)
def test_limits_end_it_with_one_line(tmp_path: Path, answers: list[str], limits: dict[str, int], said: str) -> None:
    script, place = Script(answers), Place(tmp_path, "no", "no")
    with pytest.raises(ProfileError, match=said) as caught:
        install(script, place, **limits)
    assert caught.value.step == "agent"
    assert not set("\n\x1b") & set(str(caught.value))
    assert next(script.answers, None) is None


def test_the_last_replies_are_announced(tmp_path: Path) -> None:
    script, place = Script([LOOK, LOOK, DONE]), Place(tmp_path)
    install(script, place, max_steps=3)
    assert script.shown.endswith("Replies left: 1.")


def test_output_is_bounded_at_both_ends(tmp_path: Path) -> None:
    script, place = Script([LOOK, DONE]), Place(tmp_path)
    place.result = ExecResult(None, b"head" + b"x" * 50_000 + b"tail", b"", 0.0, timed_out=True)
    install(script, place)
    assert len(script.shown) < 11_000
    assert script.shown.startswith("ended after 600 s")
    assert "head" in script.shown
    assert "tail" in script.shown


@pytest.mark.parametrize("error", [LMError("the endpoint is gone"), BudgetExhausted("nothing is left of 0.1 USD")])
def test_a_model_that_fails_ends_it(tmp_path: Path, error: LMError) -> None:
    place = Place(tmp_path)
    with pytest.raises(type(error), match=str(error)):
        install(Script([LOOK, error]), place)
    kinds = [json.loads(line)["kind"] for line in place.transcript.text().splitlines()]
    assert kinds == ["reply"]


def test_a_context_that_is_too_small_is_narrowed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.result = ExecResult(0, b"x" * 9000, b"", 0.0)
    script = Script([*[LOOK] * 8, ContextExceeded("too long"), ContextExceeded("too long"), DONE])
    assert install(script, place) == PROPOSAL
    sizes = [sum(len(m["content"]) for m in request.messages) for request in script.requests]
    assert sizes[8] > 2 * sizes[9] > 2 * sizes[10]
    with pytest.raises(ContextExceeded):
        install(Script([ContextExceeded("too long")] * 9), place)


def test_a_price_that_is_not_known_is_not_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    install(Script([LOOK, DONE], cost=None), place)
    assert place.transcript.cost_usd is None


def test_prompts_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "install.python.toml"
    whole = {
        name: f"{name} " + " ".join(f"${{{each}}}" for each in text.placeholders)
        for name, text in FORM.items()
        if isinstance(text, Text)
    }

    def write(**changed: str) -> Path:
        path.write_text("\n".join(f"{name} = {json.dumps(text)}" for name, text in {**whole, **changed}.items()))
        return tmp_path

    script = Script([DONE])
    LMInstaller(script, prompts=write()).install(Place(tmp_path))  # type: ignore[arg-type]
    assert script.requests[0].messages[0]["content"] == "system 3.11 3.11, 3.9"
    for changed, said in (({"task": "$nobody"}, "nobody"), ({"task": "$ 1"}, "a lone `[$]`")):
        with pytest.raises(InputError, match=said):
            load_prompts("python", write(**changed))
    for text, said in (("x = ", "not TOML"), ("task = 'x'", "`system` is missing"), ("x = 1", "unknown field `x`")):
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            load_prompts("python", tmp_path)
    with pytest.raises(InputError, match="cobol"):
        load_prompts("cobol")
