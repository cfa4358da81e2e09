"""The tables of `docs/benchmarks.md`, from the results beside it: what was measured and what is to be reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
CALLS = (
    *("start", "session's first step", "step, builtin", "step, one program", "run, fresh bash", "read a file"),
    *("snapshot", "restore", "fork", "manifest of 300 files", "close"),
)


def write() -> None:
    """Put the tables between the page's marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(_tables())
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}", "utf-8")


def _tables() -> Iterator[str]:
    sandboxes, disk = (json.loads((HERE / "results" / f"{name}.json").read_text()) for name in ("sandboxes", "disk"))
    machine = sandboxes["machine"]
    yield (
        f"{machine['cores']} cores ({machine['architecture']}), {machine['memory_gib']:.0f} GiB, "
        f"kernel {machine['kernel']}, Python {machine['python']}, Docker {machine['docker']}, as {machine['user']}."
    )
    yield from _figures([*sandboxes["figures"], *disk["figures"]])
    yield from _calls(sandboxes["backends"])
    yield from _instead(sandboxes["alternatives"])
    yield from _disk(disk)
    yield from _validation(json.loads((HERE / "results" / "validation.json").read_text()))


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _figures(figures: list[dict[str, Any]]) -> Iterator[str]:
    yield from ("", "### Figures", "", _row("what", "reach", "measured (p50)", "p95", ""), "|---|---|---|---|---|")
    for each in figures:
        sign = "≥" if each["least"] else "≤"
        reach = f"{sign} {_number(each['reach'])} {each['unit']}"
        reached = "reached" if each["reached"] else "**missed**"
        yield _row(each["name"], reach, _number(each["measured"]), _number(each["p95"]), reached)


def _calls(backends: dict[str, Any]) -> Iterator[str]:
    yield from (
        "",
        "### Each call: p50 (p95), in milliseconds",
        "",
        _row("", *backends),
        f"|---|{'---|' * len(backends)}",
    )
    for call in CALLS:
        yield _row(call, *(_pair(each["times"].get(call)) for each in backends.values()))
    yield _row("idle: MiB (PSS)", *(_number(each["idle"].get("pss_mib")) for each in backends.values()))


def _pair(times: dict[str, float] | None) -> str:
    return f"{_number(times['p50_ms'])} ({_number(times['p95_ms'])})" if times else ""


def _instead(alternatives: dict[str, Any]) -> Iterator[str]:
    yield from ("", "### What one would use instead, in the same run", "", _row("", "p50 (p95), ms"), "|---|---|")
    for name, times in alternatives.items():
        yield _row(name, _pair(times))


def _disk(disk: dict[str, Any]) -> Iterator[str]:
    store, docker = disk["store"], disk["docker"]
    yield from (
        "",
        "### Disk of twelve environments, in MB",
        "",
        _row("environment", "in the store", "as an image"),
        "|---|---|---|",
    )
    for name, size in store["environments"].items():
        yield _row(name, size["all_mb"], docker["environments_mb"][name])
    yield _row("together", store["together_mb"], docker["together_mb"])
    yield _row("the shared base, once", store["shared"]["root_file_systems_mb"], docker["base_mb"])


def _validation(found: dict[str, Any]) -> Iterator[str]:
    head = ("", "candidates", "a second", "CPU s a candidate", "of these beyond the tests' own", "in cold starts")
    head = (*head, "identical", "impacted is faster")
    yield from ("", "### Validation of candidates", "", _row(*head), f"|---|{'---|' * (len(head) - 1)}")
    for name, ways in found["repositories"].items():
        for way in ("verdict", "impacted", "full", "docker", "mutmut"):
            row = ways.get(way, {})
            if "per_s" in row:
                same = ways["agreement"] if way == "impacted" else None
                shown = f"{same['identical']} of {same['candidates']}" if same else ""
                shown += f", {len(same['unstable'])} unstable" if same and same.get("unstable") else ""
                told = ("cpu_s_per_candidate", "overhead_cpu_s_per_candidate", "overhead_in_cold_starts")
                times = f"{row['impacted_is_times_faster']} times" if "impacted_is_times_faster" in row else ""
                figures = [_number(row.get(each)) for each in told]
                yield _row(f"{name}, {way}", row["candidates"], _number(row["per_s"]), *figures, shown, times)


if __name__ == "__main__":
    write()
