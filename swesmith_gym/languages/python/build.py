"""Build steps for Python: what runs in a sandbox to make `/opt/env` and to install the tree. Only uv is used.

The lock is universal (every platform, the interpreter's version and newer ones) and carries hashes of all its files.
A new one lands in `/opt/build/lock`, what the tests need of the environment in `/opt/build/test.json`.
"""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement

from swesmith_gym.languages.base import BuildStep
from swesmith_gym.languages.python.project.known import BLOCKED_PLUGINS, normal
from swesmith_gym.records import RepoProfile

LOCK = "/opt/build/lock"
FOUND = "/opt/build/test.json"
REQUIREMENTS = "/opt/build/requirements.in"
LOOSE = "/opt/build/loose.in"

_COMPILE = (
    "uv pip compile --quiet --no-config --no-sources --generate-hashes --no-annotate --no-header "
    "--python {python} {version}--output-file /opt/build/resolved {file}"
)

_DESCRIBE = """
import importlib.metadata, json, re
blocked = set({blocked!r})
names = set()
for found in importlib.metadata.distributions():
    plain = re.sub(r"[-_.]+", "-", found.metadata["Name"] or "").lower()
    if plain not in blocked and plain != "pytest":
        names |= {{e.value.split(":")[0].strip() for e in found.entry_points if e.group == "pytest11"}}
with open({path!r}, "w") as file:
    json.dump({{"plugins": sorted(names)}}, file)
"""


def build_steps(profile: RepoProfile, *, lock: str, interpreter: str) -> list[BuildStep]:
    """The commands that make the environment. `lock`: text of a lock, or empty for a new one."""
    exports = [line for line in profile.install if line.startswith("export ")]
    steps = [_given(lock)] if lock else [_resolve(profile, exports, interpreter)]
    steps += [
        BuildStep(
            "create",
            f"uv venv --quiet --no-config --no-project --allow-existing --python {interpreter} /opt/env",
            advice="the interpreter cannot make an environment: say another one with `repos add --python X.Y`",
        ),
        BuildStep(
            "dependencies",
            f"uv pip install --no-config --python /opt/env/bin/python --no-deps --require-hashes --requirement {LOCK}",
            network=True,
            advice="a locked distribution cannot be installed here: say another Python with `repos add --python X.Y`",
        ),
        BuildStep(
            "install",
            "set -e\n" + "\n".join(profile.install),
            network=not all(map(_offline, _commands(profile))),
            advice="say how it is installed with `repos add --install CMD`",
        ),
        BuildStep("describe", "/opt/env/bin/python -I -", stdin=_describe(), advice="the environment cannot be read"),
    ]
    return steps


def _commands(profile: RepoProfile) -> list[str]:
    return [line for line in profile.install if line.strip() and not line.startswith("export ")]


def _offline(line: str) -> bool:
    """It installs neither dependencies nor what its build needs."""
    own = line.split(maxsplit=1)[0] not in ("pip", "python")
    return own and "--no-deps" in line and "--no-build-isolation" in line


def _given(lock: str) -> BuildStep:
    return BuildStep("lock", f"cat > {LOCK}", stdin=lock.encode())


def _resolve(profile: RepoProfile, exports: list[str], interpreter: str) -> BuildStep:
    """As declared and for every platform; else for this one; else without the exact versions that were declared."""
    version = f"--python-version {profile.interpreter} " if profile.interpreter else ""
    universal = f"--universal {version}"
    declared = "\n".join(profile.requirements)
    loose = "\n".join(dict.fromkeys(_loosened(line) for line in profile.requirements))
    tries = [
        _COMPILE.format(python=interpreter, version=way, file=file)
        for file, way in ((REQUIREMENTS, universal), (REQUIREMENTS, ""), (LOOSE, universal), (LOOSE, ""))
        if file == REQUIREMENTS or loose != declared
    ]
    command = [
        "set -e",
        *exports,
        f"cat > {REQUIREMENTS} <<'REQUIREMENTS'\n{declared}\nREQUIREMENTS",
        f"cat > {LOOSE} <<'REQUIREMENTS'\n{loose}\nREQUIREMENTS",
        "cd /opt/build",
        " || ".join(tries),
        f"sed '/@ file:/d; /^\\(-e \\)\\?file:/d' resolved > {LOCK}",
    ]
    return BuildStep(
        "resolve",
        "\n".join(command),
        network=True,
        advice="its requirements cannot be met together: edit `requirements` in the profile, or say another `--python`",
    )


def _loosened(line: str) -> str:
    """The requirement without exact or upper bounds where its own tests, not its build, ask for it."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return line
    if requirement.url:
        return line
    kept = [s for s in requirement.specifier if s.operator in (">=", ">", "!=")]
    requirement.specifier = type(requirement.specifier)(",".join(str(s) for s in kept))
    return str(requirement)


def _describe() -> bytes:
    return _DESCRIBE.format(blocked=sorted(map(normal, BLOCKED_PLUGINS)), path=FOUND).encode()
