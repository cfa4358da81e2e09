"""The report on real files: well-formed, complete, harmless whatever the records say, quick."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from report_samples import HOSTILE, hostile_records, rejected, run, task

from swesmith_gym.pipeline.provenance import grouped
from swesmith_gym.records import Verdict
from swesmith_gym.viewer import render

VOID = frozenset({"meta", "link", "br", "img", "input", "hr", "rect"})


class Page(HTMLParser):
    """A page's elements, its text, its links; checks that what opens also closes, in order."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.raw = path.read_text("utf-8")
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self.feed(self.raw)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            if tag in self.inside:
                self.inside[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> inside {self.open[-3:]}"
        self.open.pop()
        self.text += " " if tag in ("td", "th", "dt", "dd") else ""

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]][-1] += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report(out: Path, tasks: Any, runs: Any, verdicts: Any = None, **more: Any) -> dict[str, Page]:
    index = render(tasks, runs, verdicts, out, title=more.pop("title", "A report"), **more)
    assert index == out / "index.html"
    return {str(path.relative_to(out)): Page(path) for path in sorted(out.rglob("*.html"))}


def rows(page: Page, noun: str = "tasks") -> dict[str, Any]:
    data = [json.loads(text) for text in page.inside["script"] if text.startswith("{")]
    return next(listing for listing in data if listing["noun"] == noun)


def test_every_record_has_a_page_and_every_link_leads_to_one(tmp_path: Path) -> None:
    pages = report(tmp_path, [task(0), task(1)], [run(0), run(1)], [Verdict(task().instance_id, True)])
    assert len(pages) == 5
    for name, page in pages.items():
        for link in page.all("a"):
            target, _, anchor = (link["href"] or "").partition("#")
            to = (tmp_path / name).parent / unquote(target) if target else tmp_path / name
            assert to.is_file(), (name, link)
            assert not anchor or f'id="{anchor}"' in to.read_text("utf-8"), (name, link)


def test_the_index_says_how_many_and_how_they_fared(tmp_path: Path) -> None:
    verdicts = [Verdict(task().instance_id, True), Verdict(task(1).instance_id, False)]
    page = report(tmp_path, [task(0), task(1)], [run(0), run(1, agent="nop", resolved=False, reward=0.0)], verdicts)[
        "index.html"
    ]
    words = " ".join(page.text.split())
    assert "tasks 2 repositories 1 operators 1 episodes 2 gradings resolved 1 / 2 faults 0" in words
    assert "procedural 2 0 1 3" in words
    assert "gold 1 1 100.0 1 2 0 0" in words
    assert "nop 1 0 0.0 0 2 0 0" in words


def test_yields_are_shown_where_the_rejected_are_known(tmp_path: Path) -> None:
    lost = [rejected(), rejected("drop_await"), rejected(None, "lm_modify")]
    page = report(tmp_path, [task(0)], [], dropped=grouped(lost))["index.html"]
    words = " ".join(page.text.split())
    assert "procedural 3 1 33.3 0 1 3" in words
    assert "lm_modify 1 0 0.0 – 0 0" in words
    assert "all 4 1 25.0 0 1 3" in words
    assert "change_comparison 2 1 50.0" in words


def test_a_task_page_shows_statement_diff_and_tests(tmp_path: Path) -> None:
    name = f"tasks/{task().instance_id}.html"
    page = report(tmp_path, [task()], [run()], [Verdict(task().instance_id, True)])[name]
    for shown in ("It fails.", "f(2)", "tests/test_a.py::test_f[a b]", "pypi:demo==1.0", "-- a line that was removed"):
        assert shown in page.text
    kinds = [attributes.get("class") for attributes in page.all("tr")]
    assert (kinds.count("add"), kinds.count("del"), kinds.count("hunk")) == (2, 4, 2), "bug and gold"
    assert "resolved" in page.text


def test_an_episode_is_shown_step_by_step(tmp_path: Path) -> None:
    page = report(tmp_path, [task()], [run()])["trajectories/run-0.html"]
    assert [a["id"] for a in page.all("li") if "id" in a] == ["step-1", "step-2"]
    for shown in ("ls", "a.py", "submit", "reward 1", "terminated", "1 / 1"):
        assert shown in page.text


def test_escape_sequences_are_gone_and_hidden_characters_are_shown(tmp_path: Path) -> None:
    step = run().steps[0]
    loud = type(step)("ls", "\x1b[31mred\x1b[0m a\u202eb\x00\r\nend\ud800", 0.0, False, True, {})
    page = report(tmp_path, [], [run(steps=(loud,))])["trajectories/run-0.html"]
    assert "red a⟨U+202E⟩b⟨NUL⟩\nend⟨U+D800⟩" in page.text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_others_wrote_acts(tmp_path: Path, text: str) -> None:
    tasks, runs, verdicts, lost = hostile_records(text)
    harmless = report(tmp_path / "a", *hostile_records("harmless")[:3], dropped=grouped(hostile_records("harmless")[3]))
    pages = report(tmp_path / "b", tasks, runs, verdicts, dropped=grouped(lost), title=text)
    assert len(pages) == len(harmless)
    known = {tag for page in harmless.values() for tag, _ in page.tags} | {
        "span",
        "mark",
        "pre",
        "code",
        "ul",
        "li",
        "h3",
        "p",
    }
    for page in pages.values():
        assert {tag for tag, _ in page.tags} <= known
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
            assert tag != "base"
            for name in ("href", "src", "action"):
                assert re.fullmatch(r"(?:\.\./)?[\w./%#-]*|data:,", attributes.get(name) or ""), (tag, attributes)
        hidden = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
        assert not hidden.search(page.raw)


@pytest.mark.parametrize("text", [HOSTILE[0], HOSTILE[1]], ids=["plain", "closing"])
def test_only_the_packages_own_style_and_script_may_run(tmp_path: Path, text: str) -> None:
    pages = report(tmp_path, *hostile_records(text)[:3])
    for page in pages.values():
        (policy,) = [m["content"] or "" for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "http" not in policy
        scripts = [s for s, a in zip(page.inside["script"], page.all("script"), strict=True) if "type" not in a]
        assert len(scripts) == (1 if page.path.name == "index.html" else 0)
        for kind, code in [*(("script", s) for s in scripts), *(("style", s) for s in page.inside["style"])]:
            digest = b64encode(sha256(code.encode()).digest()).decode()
            assert re.search(rf"{kind}-src 'sha256-{re.escape(digest)}'", policy)
        assert not re.search(r"url\(|@import|https?://", page.inside["style"][0])


@pytest.mark.parametrize(
    "name", ["..", ".", "a/b", "../../etc/passwd", "x" * 300, "", "a b", "é", "\ud800", "-r", "CON/.."]
)
def test_no_id_writes_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    report(tmp_path / "out", [task(instance_id=name)], [run(trajectory_id=name, instance_id=name)])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(list((tmp_path / "out" / "tasks").iterdir())) == 1
    assert len(list((tmp_path / "out" / "trajectories").iterdir())) == 1


def test_equal_ids_have_pages_of_their_own(tmp_path: Path) -> None:
    report(tmp_path, [], [run(0), run(0), run(0, trajectory_id="RUN-0")])
    assert len({path.name.lower() for path in (tmp_path / "trajectories").iterdir()}) == 3


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    for out in ("a", "b"):
        report(tmp_path / out, [task(0), task(1)], [run()], dropped=grouped([rejected(), rejected("x")]))
    for path in (tmp_path / "a").rglob("*.html"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_an_earlier_report_is_replaced_and_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "mine.html").write_text("<p></p>")
    assert set(report(tmp_path, [task(0)], [])) == {
        "index.html",
        f"tasks/{task(0).instance_id}.html",
        "tasks/mine.html",
    }
    (tmp_path / "tasks" / "notes.txt").write_text("kept")
    assert set(report(tmp_path, [task(1)], [])) == {"index.html", f"tasks/{task(1).instance_id}.html"}
    assert (tmp_path / "tasks" / "notes.txt").exists()


def test_an_empty_report_is_a_page_too(tmp_path: Path) -> None:
    assert list(report(tmp_path, [], [])) == ["index.html"]


def test_a_verdict_that_came_from_a_file_is_read_too(tmp_path: Path) -> None:
    end = type(run().steps[0])(
        {"tool": "submit"}, "", 0.0, True, False, {"verdict": {"resolved": False, "f2p_failure": ["t::x"], "new": 1}}
    )
    page = report(tmp_path, [], [run(steps=(end,), resolved=False)])["trajectories/run-0.html"]
    assert "t::x" in page.text
    assert "0 / 1" in page.text


def test_the_list_holds_every_task_compactly(tmp_path: Path) -> None:
    many = [task(n, repo=f"r{n % 5}") for n in range(300)]
    index = report(tmp_path, many, [])["index.html"]
    data = rows(index)
    assert [row[0] for row in data["rows"]] == [one.instance_id for one in many]
    assert data["columns"][1]["values"] == [f"r{n}" for n in range(5)]
    assert len(json.dumps(data["rows"])) / len(many) < 80, "bytes a row"


@pytest.mark.slow
def test_five_thousand_tasks_take_seconds(tmp_path: Path) -> None:
    many = [task(n) for n in range(5_000)]
    started = time.process_time()
    index = render(many, [], None, tmp_path, title="Many")
    assert time.process_time() - started < 60, "measured: 5 s"
    assert index.stat().st_size < 1_000_000
