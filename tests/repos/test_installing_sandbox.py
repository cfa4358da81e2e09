"""The agent that installs, end to end: a package that detection cannot build, real sandboxes, and a scripted model."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from swesmith_gym import sandboxes
from swesmith_gym.agents.installer import InstallerLimits, LMInstaller
from swesmith_gym.errors import ProfileError
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.records import Outcome
from swesmith_gym.repos import images, installing, profiles, review, transcripts
from swesmith_gym.repos.add import Wish, add
from swesmith_gym.repos.build import build, current

pytestmark = [pytest.mark.sandbox, pytest.mark.network]

TALLY = Path(__file__).parents[1] / "data" / "tally"
SUITE = "tests/test_counts.py", "tests/test_primes.py"
PROBING = (
    "I look around first.\n```bash\nls && cat README.md\n```",
    "Perhaps the tests run already.\n```bash\npython -m pytest -q tests\n```",
    "Neither do they.\n```bash\nuv pip install --editable . pytest\n```",
)
TOO_EARLY = (
    'This should do.\n```toml\npython = "3.11"\ninstall = ["uv pip install --editable . pytest"]\n'
    'test_command = "pytest tests"\n```'
)
REST = (
    "A module is missing.\n```bash\nuv pip install sortedcontainers && python -m pytest -q tests\n```",
    "The README names a script.\n```bash\npython tools/make_primes.py\n```",
)
WHOLE = (
    '```toml\npython = "3.11"\ninstall = [\n    "uv pip install --editable . pytest",\n'
    '    "uv pip install sortedcontainers",\n    "python tools/make_primes.py",\n]\ntest_command = "pytest -q tests"\n'
    '\n[env]\nTALLY_COLOUR = "none"\n```'
)


class Script:
    """A model that says one line after the other, and keeps what it was shown."""

    model = "scripted"

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.shown: list[str] = []

    def complete(self, request: Request) -> Completion:
        self.shown.append(request.messages[-1]["content"])
        return Completion(self.lines.pop(0), self.model, "stop", None, None, 0.01)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("installing-home")
    folder.chmod(0o755)
    patch = pytest.MonkeyPatch()
    patch.setenv("SWESMITH_GYM_HOME", str(folder))
    yield folder
    patch.undo()


@pytest.fixture(scope="module")
def backend() -> sandboxes.SandboxBackend:
    return sandboxes.backend(None)


def run(script: Script, backend: sandboxes.SandboxBackend, said: list[str], name: str = "tally") -> installing.Added:
    means = installing.Means(backend, said.append)
    installer = LMInstaller(script, InstallerLimits(max_steps=20))
    return installing.add(Wish(str(TALLY), name, python="3.11"), installer, means)


def test_detection_alone_does_not_build_it(backend: sandboxes.SandboxBackend) -> None:
    profile = add(str(TALLY), "plain")
    with pytest.raises(ProfileError, match="sortedcontainers") as caught:
        build(profile, backend)
    assert caught.value.step == "baseline"


def test_an_agent_finds_the_commands_and_a_build_proves_them(backend: sandboxes.SandboxBackend) -> None:
    said: list[str] = []
    script = Script(*PROBING, TOO_EARLY, *REST, WHOLE)
    added = run(script, backend, said)
    assert not script.lines
    assert (added.steps, added.cost_usd) == (7, pytest.approx(0.07))
    assert "exit code 1" in script.shown[2]
    assert "No module named pytest" in script.shown[2]
    assert "sortedcontainers" in script.shown[4]
    assert "not accepted" in script.shown[4]

    profile = profiles.load("tally")
    assert profile == added.profile
    assert (profile.origin, profile.approved) == ("agent (scripted), 7 steps", False)
    assert "sortedcontainers" in profile.requirements
    assert profile.install == (
        "uv pip install --no-build-isolation --no-deps --editable .",
        "python tools/make_primes.py",
    )
    assert profile.test.env == {"TALLY_COLOUR": "none"}
    assert "sortedcontainers==" in profiles.lock("tally")
    assert current(profile) == added.image

    assert {test.split("::")[0] for test in added.image.baseline} == set(SUITE)
    assert {result.outcome for result in added.image.baseline.values()} == {Outcome.PASSED}
    assert (images.folder(added.image.key) / "testbed/src/tally/primes.py").is_file()
    assert any(line.startswith("build from scratch, without the agent") for line in said)


def test_review_shows_what_the_agent_ran(backend: sandboxes.SandboxBackend) -> None:
    from rich.console import Console

    console = Console(width=120, record=True, file=io.StringIO())
    console.print(review.render("tally"))
    shown = console.export_text()
    for part in (
        "commands found by an agent",
        "agent (scripted), 7 steps",
        "python tools/make_primes.py",
        "not approved",
    ):
        assert part in shown
    facts = review.summary("tally")
    assert [each["exit_code"] for each in facts["agent_commands"]] == [0, 1, 0, 1, 0]
    kept = [json.loads(line)["kind"] for line in profiles.transcript_of("tally").read_text().splitlines()]
    assert (kept[0], kept[-1], kept.count("reply"), kept.count("answer")) == ("start", "end", 7, 2)


def test_what_an_answer_leaves_out_is_found_out(backend: sandboxes.SandboxBackend) -> None:
    said: list[str] = []
    forgetful = WHOLE.replace('    "python tools/make_primes.py",\n', "")
    script = Script(PROBING[2], *REST, forgetful)
    before = set(images.all_keys())
    with pytest.raises(ProfileError) as caught:
        run(script, backend, said, "forgetful")
    text = str(caught.value)
    assert "2 tests passed there only (tests/test_primes.py::test_" in text
    assert "No module named 'tally.primes'" in text
    assert "\n" not in text
    assert "forgetful" not in profiles.names()
    assert set(images.all_keys()) == before
    assert transcripts.place("forgetful").is_file()
    assert said[-1] == f"what the agent did: {transcripts.place('forgetful')}"


def test_the_index_is_all_that_an_agent_reaches(backend: sandboxes.SandboxBackend) -> None:
    probe = (
        "import urllib.request as u\n"
        "def get(a):\n"
        "    try: return u.urlopen(a, timeout=20).status\n"
        "    except Exception as e: return type(e).__name__\n"
        "print('other', get('https://example.com/'))\n"
    )
    script = Script(
        f"```bash\npython - <<'EOF'\n{probe}EOF\n```",
        "```bash\nid -u; ls /opt; echo changed >> README.md\n```",
        *["gives up"] * 5,
    )
    with pytest.raises(ProfileError, match="malformed"):
        run(script, backend, [], "probing")
    assert "other 200" not in script.shown[1]
    assert "other " in script.shown[1]
    assert "1000" in script.shown[2]
    assert "changed" not in (TALLY / "README.md").read_text()


def test_where_detection_is_enough_no_model_is_asked(tmp_path: Path, backend: sandboxes.SandboxBackend) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/setup.py").write_text("from setuptools import setup\nsetup(name='easy', py_modules=['easy'])\n")
    (tmp_path / "plain/easy.py").write_text("x = 1\n")
    (tmp_path / "plain/test_easy.py").write_text("import easy\ndef test_x(): assert easy.x == 1\n")
    script = Script()
    added = installing.add(Wish(str(tmp_path / "plain"), "easy"), LMInstaller(script), installing.Means(backend))
    assert (added.steps, script.shown, profiles.load("easy").origin) == (0, [], "")
    assert current(profiles.load("easy")) == added.image
