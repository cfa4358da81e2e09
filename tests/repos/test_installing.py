"""What becomes of an installer's proposal, without a sandbox: checks, profiles, comparison, and nothing half-saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.errors import BudgetExhausted, InputError, LMError, ProfileError, SweSmithGymError
from swesmith_gym.languages import get
from swesmith_gym.records import EnvImage, ExecResult, Outcome, RepoProfile, TestReport, TestResult, TestSetup
from swesmith_gym.repos import images, installing, profiles, proposals, steps, transcripts
from swesmith_gym.repos import site as sites
from swesmith_gym.repos.add import Wish
from swesmith_gym.repos.proposals import Proposal
from swesmith_gym.repos.site import Shown, Site
from swesmith_gym.repos.steps import Order
from swesmith_gym.repos.transcripts import Transcript
from swesmith_gym.sandboxes.scripted import ScriptedBackend

TALLY = Path(__file__).parents[1] / "data" / "tally"
GOOD = Proposal("3.11", ("uv pip install -e . pytest", "python tools/make_primes.py"), "pytest tests")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# Proposals


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"python": "3.11; ls"}, "X.Y"),
        ({"install": ("a",) * 51}, "more than 50"),
        ({"install": ("x" * 5000,)}, "longer than"),
        ({"install": ("echo \x1b[1A",)}, "no screen shows"),
        ({"install": ("echo \u202e",)}, "no screen shows"),
        ({"install": (" ",)}, "empty"),
        ({"test_command": ""}, "empty"),
        ({"test_command": "make test"}, "pytest command"),
        ({"test_command": "A=1 pytest"}, "pytest command"),
        ({"env": {"PATH": "/x"}}, "runner's own"),
        ({"env": {"PYTHONHASHSEED": "3"}}, "runner's own"),
        ({"env": {"PYTEST_ADDOPTS": "-x"}}, "runner's own"),
        ({"env": {"A B": "1"}}, "not the name"),
        ({"install": ("uv pip install .",)}, "copy of the repository"),
        ({"install": ("cd x && uv pip install --no-deps /testbed",)}, "copy of the repository"),
        ({"install": ("python setup.py install",)}, "copy of the repository"),
    ],
)
def test_a_proposal_that_cannot_stand(changed: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        proposals.candidates(get("python"), TALLY, replace(GOOD, **changed))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_what_is_installed_goes_into_the_lock_where_it_can() -> None:
    locked, plain = proposals.candidates(get("python"), TALLY, replace(GOOD, env={"A": "1"}))
    assert locked.requirements == ("tally @ file:///testbed", "setuptools>=77", "wheel", "pytest")
    assert locked.install == ("uv pip install --no-build-isolation --no-deps --editable .", GOOD.install[1])
    assert (plain.requirements, plain.install) == (("pytest",), GOOD.install)
    assert locked.test == plain.test == TestSetup(paths=("tests",), env={"A": "1"})
    assert locked.license == "MIT"


@pytest.mark.parametrize(
    ("command", "requirements", "install"),
    [
        ("uv pip install 'six>=1' \"toolz[x]==1.*\"", ("six>=1", "toolz[x]==1.*", "pytest"), ()),
        ("uv pip install -q six && python -m pip install -U toolz", ("six", "toolz", "pytest"), ()),
        ("uv pip install -r needs.txt", ("six>=1", "toolz", "pytest"), ()),
        ("uv pip install -r odd.txt", ("pytest",), ("uv pip install -r odd.txt",)),
        ("uv pip install -r ../needs.txt", ("pytest",), ("uv pip install -r ../needs.txt",)),
        ("uv pip install six; ls", ("pytest",), ("(\nuv pip install six; ls\n)",)),
        ("uv pip install $X", ("pytest",), ("uv pip install $X",)),
        ("uv pip install --no-deps six", ("pytest",), ("uv pip install --no-deps six",)),
        ("uv pip install 'x @ https://h/x.whl'", ("pytest",), ("uv pip install 'x @ https://h/x.whl'",)),
        ("uv pip install git+https://h/x", ("pytest",), ("uv pip install git+https://h/x",)),
        ("uv pip install 'six", ("pytest",), ("uv pip install 'six",)),
        ("cd tools && make", ("pytest",), ("(\ncd tools && make\n)",)),
        ("cd tools", ("pytest",), ("(\ncd tools\n)",)),
        ("export A=1 B='x y'", ("pytest",), ("export A=1 B='x y'",)),
        ("export A=$(ls)", ("pytest",), ("(\nexport A=$(ls)\n)",)),
        ("export A=1; rm -r x", ("pytest",), ("(\nexport A=1; rm -r x\n)",)),
        ("cat > x <<'E'\ny\nE", ("pytest",), ("(\ncat > x <<'E'\ny\nE\n)",)),
    ],
)
def test_commands_taken_apart(
    tmp_path: Path, command: str, requirements: tuple[str, ...], install: tuple[str, ...]
) -> None:
    (tmp_path / "needs.txt").write_text("six>=1  # why\n\ntoolz\n")
    (tmp_path / "odd.txt").write_text("six\n-c other.txt\n")
    found = proposals.candidates(get("python"), tmp_path, Proposal("3.11", (command,), "pytest"))[0]
    assert (found.requirements, found.install) == (requirements, install)


# The network of a build


@pytest.mark.parametrize(
    ("line", "network"),
    [
        ("tally[test] @ file:///testbed", "index"),
        ("six>=1", "index"),
        ("x @ https://host/x.whl", "full"),
        ("x@git+ssh://git@host/x", "full"),
    ],
)
def test_only_an_address_elsewhere_opens_the_network(line: str, network: str) -> None:
    profile = RepoProfile("x", "local:/x", "1", requirements=(line,))
    assert steps.network(Order(profile, ScriptedBackend(), {}, "", print, "https://h/simple", None)) == network


# The site


def site_of(tmp_path: Path, total_s: float = 100.0, now: Callable[[], float] = lambda: 0.0) -> Site:
    from swesmith_gym.repos import interpreters, sources
    from swesmith_gym.repos.steps import Work
    from swesmith_gym.sandboxes import roots
    from swesmith_gym.tasks import tree as trees

    fetched = sources.fetch(str(TALLY))
    where = tmp_path / "where"
    where.mkdir()
    trees.write(fetched.tree, where / sites.FETCHED)
    backend = ScriptedBackend(lambda command: ExecResult(0, b"ran\n", b"", 0.1))
    bare = RepoProfile("tally", fetched.source, fetched.source_hash)
    here = next(iter(interpreters.installed().values()))
    work = Work(
        Order(bare, backend, fetched.tree, "", lambda _: None, "https://h/simple", None), here, where, roots.HOST
    )
    about = sites.About(fetched.source, "python", "", "it failed")
    return Site(work, about, Transcript(tmp_path / "t.jsonl"), total_s=total_s, clock=now)


def report(**outcomes: str) -> TestReport:
    results = {name: TestResult(Outcome(outcome)) for name, outcome in outcomes.items()}
    return TestReport(results, tuple(results), {}, finished=True, exit_code=0, timed_out=False, duration_s=1.0)


def rows(site: Site) -> list[dict[str, object]]:
    return [json.loads(line) for line in site.transcript.text().splitlines()]


def test_only_what_our_runner_reports_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_of(tmp_path)
    proposal = replace(GOOD, python=site.python)
    assert "broke off" in site.try_out(proposal)  # nothing wrote a report, whatever was printed
    with pytest.raises(ProfileError, match=r"no good: .*broke off"):
        site.shown(proposal)
    runs = iter([report(a="passed", b="passed", c="passed", d="passed", e="passed", f="failed")] * 2)
    monkeypatch.setattr(sites, "run_tests", lambda *_, **__: next(runs))
    assert site.try_out(proposal) == ""
    assert site.shown(proposal) == Shown(frozenset("abcde"))
    assert [row["kind"] for row in rows(site)] == ["answer"] * 3
    site.close()


def test_what_ran_since_an_answer_makes_it_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_of(tmp_path)
    proposal = replace(GOOD, python=site.python)
    asked = []
    monkeypatch.setattr(sites, "run_tests", lambda *_, **__: asked.append(1) or report(a="passed"))
    site.shown(proposal)
    site.shown(proposal)
    assert len(asked) == sites.TEST_RUNS
    assert site.run("ls").stdout == b"ran\n"
    site.shown(proposal)
    assert len(asked) == 2 * sites.TEST_RUNS
    assert [(row["command"], row["exit_code"]) for row in rows(site) if row["kind"] == "command"] == [("ls", 0)]


def test_tests_that_differ_are_set_aside_and_too_few_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_of(tmp_path)
    proposal = replace(GOOD, python=site.python)
    steady = dict.fromkeys("abcdefgh", "passed")
    runs = iter([report(**steady, x="passed"), report(**steady, x="failed"), report(a="passed", b="failed")] * 2)
    monkeypatch.setattr(sites, "run_tests", lambda *_, **__: next(runs))
    assert site.shown(proposal) == Shown(frozenset("abcdefgh"), frozenset("x"))
    runs = iter([report(a="passed", b="failed")] * 2)
    assert "1 of 2 tests fail" in site.try_out(proposal)


def test_another_interpreter_is_an_empty_environment(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert site.try_out(replace(GOOD, python="3.99")).startswith("Python 3.99 is not here; there are: ")
    others = site.pythons[1:]
    if not others:
        pytest.skip("this host has one interpreter only")
    (tmp_path / "where/tree/new.py").write_text("")
    assert "made anew with Python" in site.try_out(replace(GOOD, python=others[0]))
    assert (site.python, (tmp_path / "where/tree/new.py").exists()) == (others[0], False)


def test_all_of_the_time_has_an_end(tmp_path: Path) -> None:
    clock = [0.0]
    site = site_of(tmp_path, 100.0, lambda: clock[0])
    clock[0] = 101.0
    for act in (lambda: site.run("ls"), lambda: site.try_out(GOOD)):
        with pytest.raises(ProfileError, match="time for the agent is over"):
            act()


# From the proposal to the profile


def image_of(profile: RepoProfile, outcomes: dict[str, str], quarantined: dict[str, str] | None = None) -> EnvImage:
    results = {name: TestResult(Outcome(outcome)) for name, outcome in outcomes.items()}
    return EnvImage(
        f"{profile.name}-0", profile.name, "python", "f", "host", "3.11.2", "", "l", profile.source, "", TestSetup(),
        (), (), results, quarantined or {}, 1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "quarantined", "said"),
    [
        ({"a": "passed", "b": "passed"}, {}, ""),
        ({"a": "passed", "b": "failed", "c": "failed"}, {}, "1 tests passed there only (b)"),
        ({"a": "passed"}, {}, "1 tests passed there only (b: not collected)"),
        ({"a": "passed", "b": "passed", "c": "passed"}, {}, "1 tests pass from scratch only (c)"),
        ({"a": "passed", "b": "failed"}, {"b": "network"}, ""),
        ({"a": "passed", "b": "passed", "x": "passed"}, {}, ""),
    ],
)
def test_what_differs_is_said(outcomes: dict[str, str], quarantined: dict[str, str], said: str) -> None:
    shown = Shown(frozenset("ab"), frozenset("x"))
    image = image_of(RepoProfile("n", "local:/n", "1"), outcomes, quarantined)
    assert installing.differences(shown, image) == said


class Stub:
    """An installer that proposes, or fails, at once."""

    label = "model\x1b[1m"

    def __init__(self, outcome: Proposal | SweSmithGymError) -> None:
        self.outcome = outcome

    def install(self, site: Site) -> Proposal:
        if isinstance(self.outcome, SweSmithGymError):
            raise self.outcome
        return replace(self.outcome, python=site.python)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What the builds of a test give, in order: outcomes of tests, or an error. Detection's comes first."""
    given: list[object] = [ProfileError("tests fail", step="baseline", log="log")]

    def fake(profile: RepoProfile, *_: object, lock: str, **__: object) -> EnvImage:
        assert lock == ""
        result = given.pop(0)
        if isinstance(result, ProfileError):
            raise result
        image = image_of(profile, result)  # type: ignore[arg-type]
        images.folder(image.key).mkdir(parents=True)
        (images.folder(image.key) / "lock").write_text("six==1\n")
        return image

    monkeypatch.setattr(installing, "build", fake)
    monkeypatch.setattr(sites, "run_tests", lambda *_, **__: report(a="passed", b="passed"))
    yield given
    assert not given


def add(installer: Stub, said: list[str] | None = None, source: Path = TALLY) -> installing.Added:
    backend = ScriptedBackend(lambda command: b"")
    return installing.add(Wish(str(source), "tally"), installer, installing.Means(backend, (said or []).append))


def test_a_proven_proposal_is_saved_with_its_transcript(builds: list[object]) -> None:
    profiles.save(RepoProfile("tally", "local:/old", "1", approved=True), "old==1\n")
    builds.append({"a": "passed", "b": "passed"})
    added = add(Stub(GOOD))
    saved = profiles.load("tally")
    assert saved == added.profile
    assert (saved.origin, saved.approved) == ("agent (model⟨ESC⟩[1m), 0 steps", False)
    assert profiles.lock("tally") == "six==1\n"
    assert '"kind": "start"' in profiles.transcript_of("tally").read_text()
    profiles.save(saved, "", "")
    assert not profiles.transcript_of("tally").exists()


def test_commands_as_they_are_where_the_lock_cannot_be_made(builds: list[object]) -> None:
    builds += [ProfileError("cannot be met", step="resolve"), {"a": "passed", "b": "passed"}]
    assert add(Stub(GOOD)).profile.install == GOOD.install


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([{"a": "passed", "b": "failed"}], r"do not give what its environment did: 1 tests passed there only \(b\)"),
        ([ProfileError("2 of 2 fail", step="baseline")], "2 tests passed in the agent's environment, but"),
        ([ProfileError("x", step="resolve"), ProfileError("no\nway", step="install")], "from scratch: no way"),
    ],
)
def test_what_is_not_proven_is_not_saved(builds: list[object], results: list[object], said: str) -> None:
    builds += results
    old = RepoProfile("tally", "local:/old", "1", approved=True)
    profiles.save(old, "old==1\n")
    with pytest.raises(ProfileError, match=said) as caught:
        add(Stub(GOOD))
    assert "\n" not in str(caught.value)
    assert (profiles.load("tally"), profiles.lock("tally")) == (old, "old==1\n")
    assert not [path for path in images.store().iterdir() if path.name.startswith("tally")]


@pytest.mark.parametrize("error", [LMError("no answer"), BudgetExhausted("spent"), ProfileError("gives up")])
def test_a_failure_leaves_nothing_but_its_transcript(builds: list[object], error: SweSmithGymError) -> None:
    said: list[str] = [""]
    with pytest.raises(type(error), match=str(error)):
        add(Stub(error), said)
    assert "tally" not in profiles.names()
    assert not list(images.store().glob(".making-*"))
    last = transcripts.place("tally").read_text().splitlines()[-1]
    assert json.loads(last) == {"kind": "end", "error": str(error)}
    assert said[-1].startswith("what the agent did: ")


def test_without_a_source_there_is_nothing_to_ask_a_model(builds: list[object], tmp_path: Path) -> None:
    builds.clear()
    with pytest.raises(InputError, match="no such source"):
        add(Stub(LMError("asked")), source=tmp_path / "nowhere")


def test_a_damaged_transcript_still_lists_its_commands(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Transcript(path) as transcript:
        transcript.note("command", command="ls \x1b", exit_code=0)
        transcript.note("command", command="x" * 30_000, exit_code=None)
        with pytest.raises(InputError, match="another run"):
            Transcript(path)
    path.write_bytes(path.read_bytes() + b'[1]\n{"kind": "command"}\n\xff\n{"kind"')
    ls, long = transcripts.commands(path)
    assert (ls.text, ls.exit_code, long.exit_code) == ("ls \x1b", 0, None)
    assert len(long.text) < 21_000
    assert transcripts.commands(tmp_path / "none") == []


def test_a_lock_is_not_kept_beside_another_profile(home: Path) -> None:
    profiles.save(RepoProfile("x", "local:/x", "1"))
    profiles.keep_lock(RepoProfile("x", "local:/y", "2"), "six==1\n")
    assert profiles.lock("x") == ""
