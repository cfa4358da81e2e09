"""Building in real sandboxes: a small project from a folder, once well and in every way that it can go wrong."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym import sandboxes
from swesmith_gym.errors import ProfileError
from swesmith_gym.harness.run import run_tests
from swesmith_gym.languages import get
from swesmith_gym.records import EnvImage, Outcome, RepoProfile
from swesmith_gym.repos import images, interpreters, profiles, review
from swesmith_gym.repos.add import add
from swesmith_gym.repos.build import build

pytestmark = [pytest.mark.sandbox, pytest.mark.network]

SETUP = (
    "import pathlib, os\n"
    "from setuptools import setup\n"
    "pathlib.Path('thing/made.py').write_text('y = 2')\n"
    "pathlib.Path('thing/__init__.py').write_text('x = 3')\n"
    "setup(name='thing', version='1.0', packages=['thing'], extras_require={'test': ['pytest', 'pytest-asyncio']})\n"
)
TESTS = (
    "import asyncio, socket, time, pytest, thing\n"
    "from pathlib import Path\n"
    "@pytest.mark.asyncio\nasync def test_async(): await asyncio.sleep(0)\n"
    "def test_tree(): assert thing.x == 1 and __import__('thing.made').made.y == 2\n"
    "def test_clean():\n"
    "    artefacts = {'build', 'thing.egg-info', '__pycache__'}\n"
    "    assert not [p for p in Path('/testbed').rglob('*') if p.suffix == '.pyc' or p.name in artefacts]\n"
    "@pytest.mark.parametrize('now', [time.time_ns()])\ndef test_unstable(now): pass\n"
    "@pytest.mark.skip\ndef test_skipped(): pass\n"
    "def test_offline():\n"
    "    with pytest.raises(OSError): socket.create_connection(('1.1.1.1', 53), timeout=1)\n"
)


def make(folder: Path, **files: str) -> str:
    shown = {"setup.py": SETUP, "thing/__init__.py": "x = 1\n", "tests/test_thing.py": TESTS, **files}
    for path, text in shown.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return str(folder)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repos-home")
    folder.chmod(0o755)
    patch = pytest.MonkeyPatch()
    patch.setenv("SWESMITH_GYM_HOME", str(folder))
    yield folder  # type: ignore[misc]
    patch.undo()


@pytest.fixture(scope="module")
def backend() -> sandboxes.SandboxBackend:
    return sandboxes.backend(None)


@pytest.fixture(scope="module")
def thing(tmp_path_factory: pytest.TempPathFactory, home: Path) -> RepoProfile:
    return add(make(tmp_path_factory.mktemp("thing") / "thing"))


@pytest.fixture(scope="module")
def image(thing: RepoProfile, backend: sandboxes.SandboxBackend) -> EnvImage:
    return build(thing, backend)


def test_the_baseline_is_what_the_tests_do(image: EnvImage) -> None:
    stable = {t.split("::")[1]: r.outcome for t, r in image.baseline.items() if "unstable" not in t}
    assert stable.pop("test_skipped") is Outcome.SKIPPED
    assert set(stable.values()) == {Outcome.PASSED}
    assert {*stable} == {"test_async", "test_tree", "test_clean", "test_offline"}
    assert list(image.quarantined.values()) == ["unstable_id"]
    assert image.test.plugins == ("pytest_asyncio.plugin",)
    assert image.surface_roots == ("tests",)


def test_the_tree_is_the_source_and_what_was_built(image: EnvImage) -> None:
    tree = images.folder(image.key) / "testbed"
    files = {p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file()}
    assert files == {"setup.py", "thing/__init__.py", "thing/made.py", "tests/test_thing.py"}
    assert (tree / "thing/__init__.py").read_text() == "x = 1\n"


def test_byte_code_of_the_environment_only(image: EnvImage) -> None:
    bytecode = images.folder(image.key) / "bytecode"
    assert list((bytecode / "opt/env").rglob("*.pyc"))
    assert not (bytecode / "testbed").exists()


def test_an_image_is_read_back_as_written(image: EnvImage) -> None:
    assert images.load(image.key) == image
    assert images.find("thing") == image
    assert images.find("thing", image.fingerprint) == image
    assert images.find("thin") is None


def test_a_published_image_runs(image: EnvImage, backend: sandboxes.SandboxBackend) -> None:
    with backend.start(images.spec(image)) as sandbox:
        found = run_tests(sandbox, get("python"), image.test, tests=["tests/test_thing.py::test_tree"])
        assert [r.outcome for r in found.results.values()] == [Outcome.PASSED]
        for place in ("/opt/env", "/opt/bytecode", "/opt/runner"):
            assert sandbox.run(f"touch {place}/x").exit_code != 0


def test_a_build_from_the_lock_has_the_same_fingerprint(
    thing: RepoProfile, image: EnvImage, backend: sandboxes.SandboxBackend
) -> None:
    lock = profiles.lock("thing")
    assert "pytest-asyncio==" in lock
    assert build(thing, backend) == image
    images.remove("thing", [backend])
    assert images.find("thing") is None
    again = build(thing, backend, lock=lock)
    assert (again.key, again.fingerprint, again.lock_hash) == (image.key, image.fingerprint, image.lock_hash)
    assert [*again.baseline][:3] == [*image.baseline][:3]


def test_review_shows_it_on_one_screen(image: EnvImage) -> None:
    from rich.console import Console

    console = Console(width=110, record=True, file=io.StringIO())
    console.print(review.render("thing"))
    shown = console.export_text()
    for part in ("not approved yet", "pytest-asyncio", "--editable .", "unstable_id", "1 skipped"):
        assert part in shown
    assert len(shown.splitlines()) <= 45
    assert review.summary("thing")["baseline"]["tests"] == len(image.baseline)


@pytest.mark.parametrize(
    ("files", "step", "said"),
    [
        ({"setup.py": "raise SystemExit('no way')\n"}, "resolve", "resolve"),
        ({"setup.py": SETUP.replace("'pytest'", "'no-such-distribution-zzz'")}, "resolve", "no-such-distribution-zzz"),
        ({"tests/test_thing.py": "def test_a(): assert 0\ndef test_b(): pass\n"}, "baseline", "1 of 2 .*test_a"),
        ({"tests/test_thing.py": "import nowhere_to_be_found\ndef test_b(): pass\n", "requirements-test.txt": "pytest"},
         "baseline", "no test was collected|1 of 1"),
    ],
)  # fmt: skip
def test_a_failure_names_the_step(
    tmp_path: Path, backend: sandboxes.SandboxBackend, files: dict[str, str], step: str, said: str
) -> None:
    profile = add(make(tmp_path / "bad", **files))
    with pytest.raises(ProfileError, match=said) as caught:
        build(profile, backend)
    assert caught.value.step == step
    assert f"step `{step}` failed" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert images.find("bad") is None
    assert not list(images.store().glob(".making-bad-*"))


def test_a_failing_install_command_is_shown(tmp_path: Path, backend: sandboxes.SandboxBackend) -> None:
    profile = add(make(tmp_path / "cmd"), install=["echo $VIRTUAL_ENV && exit 7"])
    with pytest.raises(ProfileError, match=r"exit code 7.*--install") as caught:
        build(profile, backend, lock=profiles.lock("thing"))
    assert (caught.value.step, caught.value.log.strip()) == ("install", "/opt/env")


def test_a_test_that_hangs_is_taken_out(tmp_path: Path, thing: RepoProfile, backend: sandboxes.SandboxBackend) -> None:
    hang = "import time\ndef test_a(): pass\ndef test_b(): time.sleep(600)\ndef test_c(): pass\n"
    profile = add(make(tmp_path / "hang", **{"tests/test_thing.py": hang}))
    profile = replace(profile, test=replace(profile.test, timeout_s=15.0))
    image = build(profile, backend)
    assert [t.split("::")[1] for t in image.baseline] == ["test_a", "test_c"]
    assert image.quarantined == {"tests/test_thing.py::test_b": "hangs"}


def test_an_interpreter_that_this_host_lacks(
    thing: RepoProfile, image: EnvImage, backend: sandboxes.SandboxBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "_download", lambda version, root_fs: None)
    said: list[str] = []
    other = build(replace(thing, interpreter="3.99"), backend, lock=profiles.lock("thing"), progress=said.append)
    assert any(line.startswith("warning: Python 3.99 is not on this host") for line in said)
    assert other.interpreter_version.split(".")[:2] != ["3", "99"]
