"""Records for the viewer's tests, and text that tries to act when it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from swesmith_gym.records import BugCandidate, RejectedCandidate, Step, TaskInstance, Trajectory, Verdict

PATCH = """diff --git a/pkg/a.py b/pkg/a.py
--- a/pkg/a.py
+++ b/pkg/a.py
@@ -1,4 +1,3 @@ def f(x):
 def f(x):
-    if x >= 2:
+    if x > 2:
         return 1
--- a line that was removed and looks like a header
\\ No newline at end of file
"""

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<iframe src=javascript:alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "{{ 7*7 }}{% raw %}",
    "&lt;script&gt;&#60;",
    "```\n</pre><script>alert(1)</script>\n```",
    "# <b>heading</b>\n- <i>item</i>\n`<u>code</u>`",
    "<base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07",
    "\u202egnp.exe\u2066\u2028\ud800\x00\x9b31m",
    "<textarea><plaintext><title>",
]


def task(number: int = 0, **fields: Any) -> TaskInstance:
    """A small valid task."""
    made = TaskInstance(
        instance_id=f"demo.procedural__{number:010x}",
        repo="demo",
        image_key="demo-0",
        fingerprint="f",
        strategy="procedural",
        operator="change_comparison",
        bug_patch=PATCH,
        gold_patch=PATCH,
        FAIL_TO_PASS=("tests/test_a.py::test_f[a b]",),
        PASS_TO_PASS=("tests/test_a.py::test_g",),
        problem_statement="# `f` is wrong\n\nIt fails.\n\n```python\nf(2)\n```\n\n- one\n- two\n",
        language="python",
        explanation="`>=` became `>`.",
        seed=number,
        cost_usd=0.0,
        created_at="2026-01-01T00:00:00Z",
        repo_source="pypi:demo==1.0",
        repo_license="MIT",
        sealed_digest="d",
    )
    return replace(made, **fields)


def run(number: int = 0, **fields: Any) -> Trajectory:
    """A small episode of `task(0)` that resolved it."""
    verdict = Verdict(task().instance_id, True, f2p_success=task().FAIL_TO_PASS)
    steps = (
        Step("ls", "a.py\n", 0.0, False, False, {"exit_code": 0}),
        Step({"tool": "submit"}, "", 1.0, True, False, {"verdict": verdict}),
    )
    made = Trajectory(f"run-{number}", task().instance_id, "gold", 3, "Fix `f`.", steps, 1.0, True, True, PATCH)
    return replace(made, **fields)


def rejected(operator: str | None = "change_comparison", strategy: str = "procedural") -> RejectedCandidate:
    """A candidate that no test noticed."""
    return RejectedCandidate(BugCandidate("demo", strategy, operator, PATCH), "no_failing_test")


def hostile_records(text: str) -> tuple[list[TaskInstance], list[Trajectory], list[Verdict], list[RejectedCandidate]]:
    """One of each record with `text` in every field that others write."""
    say: Callable[[str], str] = lambda name: f"{name}{text}"  # noqa: E731
    diff = f"--- a/{text}\n+++ b/{text}\n@@ -1,1 +1,1 @@ {text}\n-{text}\n+x{text}\n{text}"
    bad = task(
        instance_id=say("id"),
        repo=say("repo"),
        strategy=say("strategy"),
        operator=say("operator"),
        bug_patch=diff,
        gold_patch=diff,
        FAIL_TO_PASS=(say("f2p"),),
        problem_statement=say("statement "),
        explanation=say("why"),
        repo_source=say("source"),
        repo_license=say("licence"),
        failure_excerpt=say("excerpt"),
    )
    verdict = Verdict(bad.instance_id, False, (), (say("f2p"),), (), (say("p2p"),), violation=say("violation"))
    steps = (
        Step(text, text, 0.0, False, False, {"exit_code": text, "verdict": text}),
        Step({"tool": text, text: text}, text, 0.5, False, False, {"timed_out": text}),
        Step([text], text, 0.0, False, True, {"verdict": verdict, "fault": text}),
    )
    episode = run(
        trajectory_id=say("run"), instance_id=bad.instance_id, agent=say("agent"), observation=text, steps=steps
    )
    episode = replace(episode, model_patch=diff)
    lost = RejectedCandidate(BugCandidate(say("repo"), say("strategy"), say("operator"), diff), "flaky", text)
    return [bad], [episode], [verdict], [lost]
