"""The figures that this package is to reach, and what was measured of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Results = dict[str, Any]
LONG_MS = 2000.0
"""A suite that takes so long is compared by ratio."""


@dataclass(frozen=True)
class Figure:
    """One figure, with what it was compared to."""

    name: str
    unit: str
    reach: float
    """At most so much; at least, where `least`."""
    measured: float
    p95: float | None = None
    least: bool = False

    @property
    def reached(self) -> bool:
        return self.measured >= self.reach if self.least else self.measured <= self.reach


def figures(results: Results) -> list[dict[str, Any]]:
    """Of everything that was measured; what was left out is left out here too."""
    return shown([figure for make in (_backends, _episodes, _crowd) for figure in make(results)])


def shown(found: list[Figure]) -> list[dict[str, Any]]:
    """As JSON shows them."""
    return [{**asdict(each), "reached": each.reached} for each in found]


def _time(name: str, reach: float, times: Results, key: str, own: float = 0.0) -> list[Figure]:
    """`own`: the command's own time, in milliseconds."""
    if key not in times:
        return []
    p50, p95 = (round(times[key][which] - own, 3) for which in ("p50_ms", "p95_ms"))
    return [Figure(name, "ms", reach, p50, p95)]


_STEP = {"bubblewrap, warm pool": 3.0, "docker, warm pool": 5.0}
_RESET = {"bubblewrap, warm pool": 15.0, "docker, warm pool": 60.0}


def _backends(results: Results) -> list[Figure]:
    own = _own(results)
    found = []
    for name, reach in _STEP.items():
        measured = results["backends"].get(name, {})
        times = measured.get("times", {})
        found += _time(f"start of a sandbox, {name}", _RESET[name], times, "start")
        for kind in ("builtin", "one program"):
            found += _time(f"step overhead, {kind}, {name}", reach, times, f"step, {kind}", own[kind])
    return found


def _episodes(results: Results) -> list[Figure]:
    own = _own(results)
    found = []
    for name, reach in _RESET.items():
        times = results["episodes"].get(name, {}).get("times", {})
        found += _time(f"reset, task prepared, {name}", reach, times, "reset")
        found += _time(f"first reset of a task, {name}", 400.0, times, "first reset of a task")
        for kind in ("builtin", "one program"):
            found += _time(
                f"step overhead of the environment, {kind}, {name}", _STEP[name], times, f"step, {kind}", own[kind]
            )
        for suite, graded in results["episodes"].get(name, {}).get("gradings", {}).items():
            found += [_grading(f"{what}, {suite}, {name}", graded, what) for what in ("nothing", "the fix")]
    return found


def _grading(name: str, times: Results, what: str) -> Figure:
    """A ratio for a suite of some length, a difference for a short one, where what is constant counts."""
    graded, plain = times[f"submit {what} and grade"]["p50_ms"], times["plain pytest"]["p50_ms"]
    if plain >= LONG_MS:
        return Figure(f"grading time over plain pytest, {name}", "ratio", 1.3, round(graded / plain, 2))
    return Figure(f"grading time beyond plain pytest, {name}", "ms", 400.0, round(graded - plain, 1))


def _own(results: Results) -> dict[str, float]:
    plain = results["alternatives"]
    return {kind: plain.get(f"plain bash: step, {kind}", {}).get("p50_ms", 0.0) for kind in ("builtin", "one program")}


def _crowd(results: Results) -> list[Figure]:
    found = []
    if live := results.get("live"):
        found.append(Figure("sandboxes alive at once", "sandboxes", 1000, live["answered"], least=True))
        found.append(Figure("memory of an idle sandbox (PSS), of that many", "MiB", 4, live["pss_mib_each"]))
        found.append(Figure("memory that the machine has less for each", "MiB", 4, live["machine_mib_each"]))
    if many := results.get("many_steps"):
        for kind, rates in many["steps_per_s_by_threads"].items():
            name = f"steps a second, {many['environments']} sandboxes, {kind}"
            found.append(Figure(name, "1/s", 1000, max(rates.values()), least=True))
    if many := results.get("many_episode_steps"):
        best = max(many["steps_per_s_by_threads"].values())
        found.append(Figure(f"steps a second, {many['environments']} environments", "1/s", 1000, best, least=True))
    return found


_INSTEAD = {
    "start": ("docker SDK: create, start, exec", "docker run --rm true", "SWE-ReX local: session"),
    "step, one program": ("docker exec true", "docker SDK: exec true", "bubblewrap: start, /bin/true, close"),
    "step, builtin": ("SWE-ReX local: step",),
    "run, fresh bash": ("SWE-ReX local: execute",),
}
"""What does the same without this package."""


def ratios(results: Results) -> dict[str, float]:
    """How many times longer the alternative takes than what this package does in its place: medians."""
    found = {}
    for name in _RESET:
        ours = results["backends"].get(name, {}).get("times", {})
        for call, others in _INSTEAD.items():
            for other in others:
                pair = results["alternatives"].get(other), ours.get(call)
                if all(pair):
                    found[f"{other} / {call}, {name}"] = round(pair[0]["p50_ms"] / pair[1]["p50_ms"], 1)
    return found
