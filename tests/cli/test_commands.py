"""The commands as a user meets them: as processes, with exit codes, JSON on stdout and one line on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from samples import EDITS, bug

from swesmith_gym.tasks import TaskTable

pytestmark = [pytest.mark.sandbox, pytest.mark.network]
COMMAND = [sys.executable, "-m", "swesmith_gym"]


def call(*args: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, args)], capture_output=True, text=True, cwd=cwd, check=False)


def candidates(folder: Path, *edits: tuple[str, str, str]) -> Path:
    path = folder / "candidates.jsonl"
    path.write_text("".join(json.dumps(asdict(bug(*edit))) + "\n" for edit in edits or EDITS))
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("quickstart",),
        ("run",),
        ("doctor",),
        ("rollout",),
        ("evaluate",),
        ("view",),
        *(("repos", name) for name in ("add", "build", "list", "show", "review", "export", "import", "remove")),
        *(("images", name) for name in ("bootstrap", "take", "list", "remove")),
        *(("bugs", name) for name in ("generate", "validate")),
        ("issues", "write"),
        *(("tasks", name) for name in ("list", "show", "verify", "recheck", "scan", "stats", "filter", "redteam")),
    ],
    ids=" ".join,
)
def test_help_shows_an_example(command: tuple[str, ...]) -> None:
    done = call(*command, "--help")
    assert done.returncode == 0
    assert f"Example: swesmith-gym {' '.join(command)}" in " ".join(done.stdout.split()).replace("`", "")
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["repos", "build", "no-such-repo"], "no repository 'no-such-repo'"),
        (["repos", "add", "pypi:marshmallow"], "pypi:"),
        (["repos", "add", "no-such-folder/at-all"], "no-such-folder/at-all"),
        (["tasks", "show", "no-such-file.parquet"], "no-such-file.parquet: no such file"),
        (["bugs", "validate", "no-such-file.jsonl"], "no-such-file.jsonl: no such file"),
        (["bugs", "generate", "--repo", "nothing", "--out", "x.jsonl"], "no repository 'nothing'"),
        (["rollout", "--tasks", "t.parquet", "--agent", "nobody", "--out", "o"], "unknown agent 'nobody'"),
        (["rollout", "--tasks", "t.parquet", "--agent", "os:nothing", "--out", "o"], "cannot be imported"),
        (["doctor", "--no-such-option"], "No such option"),
        (["tasks", "list", "t.parquet", "--sandbox", "x"], "No such option"),
        (["view", "no-such-folder"], "no such file or folder"),
        (["quickstart", "--root-fs", "no-such-root"], "no root file system 'no-such-root'"),
        (
            ["bugs", "validate", "c.jsonl", "--issues", "lm"],
            "issue mode 'lm' needs a language model",
        ),
        (["bugs", "validate", "c.jsonl", "--issues", "typo"], "'typo' does not exist: choose one of static, tests"),
        (["issues", "write", "t.parquet", "--mode", "typo"], "'typo' does not exist: choose one of static, tests"),
        (["issues", "write", "t.parquet", "--prompts", "nowhere"], "nowhere: no such folder"),
        (["quickstart", "--sandbox", "vm"], "unknown sandbox 'vm'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(home: Path, tmp_path: Path, args: list[str], says: str) -> None:
    done = call(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert says in line


def test_a_malformed_candidate_is_named(abacus: object, tmp_path: Path) -> None:
    path = candidates(tmp_path)
    path.write_text(path.read_text() + "{]\n")
    done = call("bugs", "validate", path, "--out", tmp_path / "t.parquet")
    assert done.returncode == 2
    assert f"{path} line 4: not JSON" in done.stderr
    assert not (tmp_path / "t.parquet").exists()


def test_an_unknown_instance_id(abacus_table: Path) -> None:
    done = call("tasks", "show", abacus_table, "nothing")
    assert done.returncode == 2
    assert "no task 'nothing' among 3" in done.stderr


def test_doctor_speaks_json() -> None:
    done = call("doctor", "--json")
    assert done.returncode == 0
    facts = json.loads(done.stdout)
    assert facts["sandboxes"]["bubblewrap"]["usable"] is True
    assert facts["sandboxes"]["bubblewrap"]["capabilities"]["network_isolation"] is True
    assert facts["sandboxes"]["docker"]["checks"]
    assert "through a proxy" in facts["network"]["index"]


def test_doctor_speaks_to_people() -> None:
    shown = call("doctor").stdout
    for part in ("network none: enforced", "network index: the package index only", "docker: "):
        assert part in shown


def test_a_host_without_a_sandbox_is_told_the_fix(home: Path, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom swesmith_gym.cli.main import main\nfrom swesmith_gym.errors import SandboxUnavailable\n"
        "from swesmith_gym.sandboxes import bubblewrap\n"
        "def none(user): raise SandboxUnavailable('forbidden here', fix='sysctl -w x=1')\n"
        "bubblewrap._probe = none\nsys.argv = ['swesmith-gym', 'repos', 'build', 'h11']\nmain()\n"
    )
    env = {**os.environ, "DOCKER_HOST": "unix:///no/such/socket"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False, env=env
    )
    said = "no sandbox is usable on this host: forbidden here; no Docker daemon answers at unix:///no/such/socket"
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"swesmith-gym: {said} (fix: sysctl -w x=1)"


def test_equal_runs_give_equal_bytes(abacus: object, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        out = tmp_path / name
        out.mkdir()
        done = call(
            "bugs",
            "validate",
            candidates(out),
            "--out",
            out / "t.parquet",
            "--rejected",
            out / "r.jsonl",
            "--created-at",
            "2026-01-01",
            "--json",
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"candidates": 3, "tasks": 3, "yield": 1.0, "rejected": {}}
        made.append((out / "t.parquet").read_bytes())
    assert made[0] == made[1]


def test_every_candidate_is_a_task_or_a_rejected_row(abacus: object, tmp_path: Path) -> None:
    edits = (EDITS[0], EDITS[0], ("src/abacus/numbers.py", '"no values"', '"none"'))
    done = call(
        "bugs",
        "validate",
        candidates(tmp_path, *edits),
        "--out",
        tmp_path / "t.parquet",
        "--rejected",
        tmp_path / "r.jsonl",
        "--json",
    )
    assert json.loads(done.stdout)["rejected"] == {"duplicate": 1, "no_failing_test": 1}
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [row["reason"] for row in rows] == ["duplicate", "no_failing_test"]
    assert rows[0]["bug_patch"] == bug(*EDITS[0]).bug_patch
    (task,) = TaskTable.read(tmp_path / "t.parquet")
    assert task.bug_patch == bug(*EDITS[0]).bug_patch
    assert len(task.problem_statement) > 100


ENDLESS = ("src/abacus/numbers.py", "    for value in values:\n", "    while True:\n        value = 0\n")


def test_ctrl_c_half_way_and_the_same_command_goes_on(abacus: object, tmp_path: Path) -> None:
    # The last candidate runs into its time limit: the signal always comes while there is something to stop.
    args = ["bugs", "validate", str(candidates(tmp_path, *EDITS[:2], ENDLESS)), "--out", str(tmp_path / "t.parquet")]
    args += ["--rejected", str(tmp_path / "r.jsonl"), "--created-at", "2026-01-01", "--workers", "1"]
    args += ["--timeout-s", "12"]
    ledger = tmp_path / ".t.parquet.ledger"
    # A shell's background jobs, these tests perhaps, pass on to their children that interrupts are ignored.
    heeding = ["env", "--default-signal=INT", *COMMAND]
    running = subprocess.Popen([*heeding, *args], stderr=subprocess.PIPE, text=True)
    while not ledger.exists() or len(ledger.read_text().splitlines()) < 3:
        with contextlib.suppress(subprocess.TimeoutExpired):
            pytest.fail(f"ended with {running.wait(0.02)} before it was stopped")
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert (running.returncode, error) == (130, "swesmith-gym: stopped; the same command goes on from here\n")
    assert len(ledger.read_text().splitlines()) == 1 + 2
    done = call(*args)
    assert done.returncode == 0, done.stderr
    assert not ledger.exists()
    assert len(TaskTable.read(tmp_path / "t.parquet")) == 2
    assert [json.loads(row)["reason"] for row in (tmp_path / "r.jsonl").read_text().splitlines()] == ["timeout"]


def test_rollout_evaluate_verify_view(abacus_table: Path, tmp_path: Path) -> None:
    done = call("rollout", "--tasks", abacus_table, "--agent", "gold", "--out", tmp_path / "r", "--json")
    assert json.loads(done.stdout)["resolved"] == 3
    again = call("rollout", "--tasks", abacus_table, "--agent", "gold", "--out", tmp_path / "r")
    assert (again.returncode, "--resume" in again.stderr) == (2, True)
    done = call(
        "rollout", "--tasks", abacus_table, "--agent", "gold", "--out", tmp_path / "r", "--n", "2", "--resume", "--json"
    )
    assert json.loads(done.stdout)["total"] == 6

    done = call("evaluate", "--tasks", abacus_table, "--predictions", "gold", "--out", tmp_path / "e", "--json")
    report = json.loads(done.stdout)
    assert (report["resolved"], report["unresolved"], report["total"]) == (3, 0, 3)
    one = json.loads((tmp_path / "e" / report["resolved_ids"][0] / "report.json").read_text())
    assert one["patch_exists"] is one["patch_applied"] is one["resolved"] is True
    assert one["tests_status"]["FAIL_TO_PASS"]["success"]
    assert one["tests_status"]["FAIL_TO_PASS"]["failure"] == []

    done = call(
        "tasks",
        "verify",
        abacus_table,
        "--out",
        tmp_path / "v.json",
        "--rounds",
        "2",
        "--grading",
        "impacted",
        "--json",
    )
    found = json.loads((tmp_path / "v.json").read_text())
    assert done.returncode == 0
    assert found["grading"] == "impacted"
    assert (found["gold_resolved"], found["gold_gradings"], found["nop_resolved"], found["nop_gradings"]) == (
        6,
        6,
        0,
        6,
    )

    done = call("view", tmp_path / "r", "--json")
    assert Path(json.loads(done.stdout)["report"]).is_file()
    assert json.loads(call("tasks", "stats", abacus_table, "--json").stdout)[-1]["instances"] == 3


def test_predictions_of_every_kind(abacus_table: Path, tmp_path: Path) -> None:
    first, second, third = (task.instance_id for task in TaskTable.read(abacus_table))
    rows = [
        {"instance_id": first, "model_patch": "", "model_name_or_path": "m"},
        {"instance_id": second, "model_patch": "no diff", "model_name_or_path": "m"},
        {"instance_id": third, "model_patch": None, "model_name_or_path": "m"},
    ]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(rows))
    done = call("evaluate", "--tasks", abacus_table, "--predictions", path, "--out", tmp_path / "e", "--json")
    assert json.loads(done.stdout)["unresolved"] == 3
    reports = [json.loads((tmp_path / "e" / i / "report.json").read_text()) for i in (first, second, third)]
    assert [r["patch_exists"] for r in reports] == [False, True, False]
    assert [r["patch_applied"] for r in reports] == [True, False, True]
    path.write_text(json.dumps([{**rows[0], "instance_id": "other"}]))
    done = call("evaluate", "--tasks", abacus_table, "--predictions", path, "--out", tmp_path / "e")
    assert (done.returncode, "no task 'other'" in done.stderr) == (2, True)


def test_verify_fails_on_a_task_that_gold_does_not_solve(abacus_table: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    task = TaskTable.read(abacus_table)[0]
    TaskTable([replace(task, gold_patch="")]).write(tmp_path / "t.parquet")
    done = call("tasks", "verify", tmp_path / "t.parquet", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"][0]["control"] == "gold"


def test_a_row_that_was_changed_is_not_played(abacus_table: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    task = TaskTable.read(abacus_table)[0]
    TaskTable([replace(task, sealed_digest="0" * 64)]).write(tmp_path / "t.parquet")
    done = call("rollout", "--tasks", tmp_path / "t.parquet", "--agent", "nop", "--out", tmp_path / "r")
    assert (done.returncode, "sealed_digest" in done.stderr) == (2, True)
