"""`repos review`: one screen that shows what was detected, what the build ran, and what the baseline was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from swesmith_gym import languages
from swesmith_gym.errors import ProfileError
from swesmith_gym.records import BROKEN, EnvImage, RepoProfile
from swesmith_gym.repos import images, profiles, transcripts
from swesmith_gym.repos.build import current
from swesmith_gym.visible import line, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHOWN = 6
_MOST_COMMANDS = 40
_SLOWEST = 3


def summary(name: str) -> dict[str, Any]:
    """What is known of a repository, as plain data for `--json`. Raises: ProfileError (unknown)."""
    profile = profiles.load(name)
    image = current(profile)
    data: dict[str, Any] = {
        "name": name,
        "source": profile.source,
        "source_hash": profile.source_hash,
        "license": profile.license,
        "interpreter": profile.interpreter,
        "requirements": list(profile.requirements),
        "install": list(profile.install),
        "test_paths": list(profile.test.paths),
        "test_args": list(profile.test.args),
        "origin": profile.origin,
        "approved": profile.approved,
        "locked": bool(profiles.lock(name)),
        "built": image is not None,
    }
    if profile.origin:
        ran = transcripts.commands(profiles.transcript_of(name))
        data["agent_commands"] = [{"command": each.text, "exit_code": each.exit_code} for each in ran]
    if image is not None:
        data |= {
            "image_key": image.key,
            "fingerprint": image.fingerprint,
            "interpreter_version": image.interpreter_version,
            "plugins": list(image.test.plugins),
            "baseline": counts(image),
            "suite_s": image.suite_s,
            "surface_files": len(image.surface),
            "surface_roots": list(image.surface_roots),
        }
    return data


def counts(image: EnvImage) -> dict[str, int]:
    """Number of tests by outcome, and of those that never count by reason."""
    outcomes = Counter(result.outcome.value for result in image.baseline.values())
    reasons = Counter(image.quarantined.values())
    return {"tests": len(image.baseline), **dict(sorted(outcomes.items())), **dict(sorted(reasons.items()))}


def render(name: str) -> RenderableType:
    """The screen. Raises: ProfileError (unknown, or not built yet: there is nothing to approve)."""
    from rich.console import Group
    from rich.markup import escape
    from rich.panel import Panel

    profile = profiles.load(name)
    image = current(profile)
    if image is None:
        raise ProfileError(f"{name} is not built on this host: run `swesmith-gym repos build {name}`")
    parts = {"detected": _detected(profile), "ran": _built(image), "baseline": _baseline(image)}
    if profile.origin:
        parts = {"commands found by an agent": _by_agent(profile, image), **parts}
    panels = [Panel(_table(rows), title=title, title_align="left") for title, rows in parts.items()]
    state = "[green]approved[/]" if profile.approved else "[yellow]not approved yet[/]"
    return Group(f"[bold]{escape(name)}[/]  {escape(visible(profile.source))}  {state}", *panels)


def _table(rows: Mapping[str, str]) -> RenderableType:
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, escape(visible(value)))
    return table


def _by_agent(profile: RepoProfile, image: EnvImage) -> dict[str, str]:
    """What a person has to read before an approval: nobody has vouched for these commands."""
    path = profiles.transcript_of(profile.name)
    ran = transcripts.commands(path)
    shown = [f"{'-' if each.exit_code is None else each.exit_code:>3}  {line(each.text)}" for each in ran]
    more = len(shown) - _MOST_COMMANDS
    shown = [*shown[:_MOST_COMMANDS], *([f"... and {more} more"] if more > 0 else [])]
    return {
        "origin": profile.origin,
        "look at": f"requirements, install, arguments and variables below; they alone made {image.key}",
        "not locked": "\n".join(_loose(profile)) or "nothing: all that is installed stands in the lock",
        "it ran": "\n".join(shown) or "its transcript is not here",
        "in full": str(path) if path.is_file() else "-",
    }


def _loose(profile: RepoProfile) -> list[str]:
    """Commands of a profile whose step reaches the package index: what they install may be another release tomorrow."""
    steps = languages.get(profile.language).build_steps(profile, lock="-", interpreter="-")
    reaching = any(step.network for step in steps if step.name == "install")
    return [each for each in profile.install if not each.startswith("export ")] if reaching else []


def _detected(profile: RepoProfile) -> dict[str, str]:
    return {
        "licence": profile.license or "unknown",
        "interpreter": profile.interpreter,
        "requirements": ", ".join(profile.requirements),
        "install": "\n".join(profile.install),
        "tests in": " ".join(profile.test.paths) or "as configured",
        "arguments": " ".join(profile.test.args) or "none",
        "variables": " ".join(f"{name}={value}" for name, value in profile.test.env.items()) or "none",
        "left out": " ".join(profile.test.ignored_args) or "nothing",
    }


def _built(image: EnvImage) -> dict[str, str]:
    path = images.folder(image.key)
    locked = sum("==" in line for line in (path / "lock").read_text(encoding="utf-8").splitlines())
    return {
        "interpreter": f"{image.interpreter_version} ({image.interpreter_prefix or '/usr'})",
        "locked": f"{locked} distributions, hash {image.lock_hash[:12]}",
        "plug-ins": ", ".join(image.test.plugins) or "none",
        "surface": f"{len(image.surface)} files; only tests below {', '.join(image.surface_roots) or 'no folder'}",
        "image": f"{image.key}, log in {path / 'build.log'}",
    }


def _baseline(image: EnvImage) -> dict[str, str]:
    found = counts(image)
    broken = [test for test, result in image.baseline.items() if result.outcome in BROKEN]
    slowest = sorted(image.baseline, key=lambda test: -image.baseline[test].duration_s)[:_SLOWEST]
    quarantined = [f"{test} ({why})" for test, why in image.quarantined.items()]
    return {
        "tests": ", ".join(f"{number} {kind}" for kind, number in found.items()),
        "suite": f"{image.suite_s:.1f} s",
        "slowest": "\n".join(f"{image.baseline[test].duration_s:.2f} s  {test}" for test in slowest),
        "failing": "\n".join(_some(broken)) or "none",
        "quarantined": "\n".join(_some(quarantined)) or "none",
    }


def _some(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"... and {rest} more"] if rest > 0 else [])]
