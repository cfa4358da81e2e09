"""Changes taken back: exactly, by a merge, by a model; what is dropped, taken apart, or no bug, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from swesmith_gym import languages, patch
from swesmith_gym.bugs.base import Ground, Result
from swesmith_gym.bugs.mirror_pieces import Limits
from swesmith_gym.bugs.pr_mirror import PrMirror
from swesmith_gym.bugs.registry import Means
from swesmith_gym.errors import BudgetExhausted, ContextExceeded, InputError, LMError
from swesmith_gym.lm.base import Completion, Request
from swesmith_gym.records import REJECTION_REASONS, BugCandidate, RejectedCandidate
from swesmith_gym.repos import profiles
from swesmith_gym.repos.changes import base, given, sections
from swesmith_gym.repos.changes.base import FileChange, SourceChange

OLD = b"""\
import os

LIMIT = 3


def total(items):
    count = 0
    for item in items:
        count += item
    return count


class Box:
    size = 1

    def grow(self):
        self.size += 1

    def shrink(self):
        self.size -= 2
"""
NEW = (
    OLD.replace(b"count += item\n", b"count += max(item, 0)\n")
    .replace(b"-= 2", b"-= 1")
    .replace(b"LIMIT = 3", b"LIMIT = 4")
)


def texts(path: str, before: bytes | None, after: bytes | None, old: str | None = None) -> FileChange:
    names = (None if before is None else old or path, None if after is None else path)
    found = base.of_texts(*names, before, after)
    assert found is not None
    return found


def change(*files: FileChange, **fields: object) -> SourceChange:
    return SourceChange("abc", files, **fields)  # type: ignore[arg-type]


def blind(file: FileChange) -> FileChange:
    """As a patch file tells it: without whole texts."""
    return FileChange(file.patch)


def ground(files: Mapping[str, bytes]) -> Ground:
    return Ground("r", files, languages.get("python"), lambda path: not path.startswith("tests/"))


def made(files: Mapping[str, bytes], *changes: SourceChange, **options: object) -> list[Result]:
    asked = {name: options.pop(name) for name in ("limit", "seed") if name in options}
    found = list(PrMirror(changes, **options).candidates(ground(files), **asked))  # type: ignore[arg-type]
    assert all(each.reason in REJECTION_REASONS for each in found if isinstance(each, RejectedCandidate))
    return found


def one(files: Mapping[str, bytes], *changes: SourceChange, **options: object) -> BugCandidate:
    (found,) = made(files, *changes, **options)
    assert isinstance(found, BugCandidate), found
    return found


def reason(files: Mapping[str, bytes], *changes: SourceChange, **options: object) -> tuple[str, str]:
    (found,) = made(files, *changes, **options)
    assert isinstance(found, RejectedCandidate)
    return found.reason, found.detail


def undone(files: Mapping[str, bytes], candidate: BugCandidate) -> dict[str, bytes | None]:
    return patch.apply(candidate.bug_patch, files.get)


def test_a_change_is_taken_back_exactly() -> None:
    files = {"p/a.py": NEW}
    found = one(files, change(blind(texts("p/a.py", OLD, NEW)), text="Fix it.", origin="commit abc"), seed=3)
    assert undone(files, found) == {"p/a.py": OLD}
    assert (found.strategy, found.operator, found.seed) == ("pr_mirror", "reverse", 3)
    assert (found.original_text, found.model, found.cost_usd) == ("Fix it.", "", 0.0)
    assert "abc" in found.explanation
    assert "`p/a.py`" in found.explanation


def test_what_has_moved_since_is_found() -> None:
    files = {"p/a.py": b"# one\n# two\n\n" + NEW}
    assert undone(files, one(files, change(blind(texts("p/a.py", OLD, NEW))))) == {"p/a.py": b"# one\n# two\n\n" + OLD}


def test_carriage_returns_and_a_missing_last_newline_are_kept() -> None:
    old, new = (text.replace(b"\n", b"\r\n").removesuffix(b"\r\n") for text in (OLD, NEW))
    files = {"p/a.py": new}
    assert undone(files, one(files, change(blind(texts("p/a.py", old, new))))) == {"p/a.py": old}


def test_a_last_newline_that_came_goes_again() -> None:
    old = OLD.removesuffix(b"\n").replace(b"-= 2", b"-= 3")
    files = {"p/a.py": NEW}
    assert undone(files, one(files, change(texts("p/a.py", old, NEW)))) == {"p/a.py": old}


def test_a_file_that_was_added_goes_and_one_that_was_deleted_comes_back() -> None:
    files = {"p/new.py": NEW, "p/a.py": NEW}
    found = one(
        files,
        change(
            *(blind(texts(*each)) for each in (("p/new.py", None, NEW), ("p/old.py", OLD, None), ("p/a.py", OLD, NEW)))
        ),
    )
    assert undone(files, found) == {"p/new.py": None, "p/old.py": OLD, "p/a.py": OLD}


def test_a_renamed_file_gets_its_old_name() -> None:
    files = {"p/b.py": NEW}
    found = one(files, change(blind(texts("p/b.py", OLD, NEW, old="p/a.py"))))
    assert undone(files, found) == {"p/b.py": None, "p/a.py": OLD}
    same = one(files, change(texts("p/b.py", NEW, NEW, old="p/a.py")))
    assert undone(files, same) == {"p/b.py": None, "p/a.py": NEW}


def test_tests_documents_and_other_files_are_dropped() -> None:
    files = {"p/a.py": NEW, "tests/test_a.py": NEW, "README.md": b"x\n"}
    others = [texts("tests/test_a.py", OLD, NEW), texts("README.md", b"y\n", b"x\n"), texts("c.md", None, b"z\n")]
    assert undone(files, one(files, change(texts("p/a.py", OLD, NEW), *others))) == {"p/a.py": OLD}
    why, detail = reason(files, change(*others, others=("logo.png",)))
    assert why == "no_source"
    assert "README.md" in detail
    assert reason(files, change(others=("logo.png",)))[1].endswith("logo.png")


def test_a_file_that_is_no_utf_8_text_is_dropped() -> None:
    old, new = b"# -*- coding: latin-1 -*-\na = '\xe9'\n", b"# -*- coding: latin-1 -*-\na = '\xe8'\n"
    assert reason({"p/a.py": new}, change(texts("p/a.py", old, new)))[0] == "no_source"


def test_what_no_longer_applies_is_merged_where_whole_files_are_known() -> None:
    files = {"p/a.py": NEW.replace(b"count = 0", b"count = int()")}
    found = one(files, change(texts("p/a.py", OLD, NEW)))
    assert found.operator == "three_way"
    assert undone(files, found) == {"p/a.py": OLD.replace(b"count = 0", b"count = int()")}


def test_what_no_longer_applies_anywhere_is_rejected_with_all_that_was_tried() -> None:
    now = NEW.replace(b"count += max(item, 0)", b"count += abs(item)")
    why, detail = reason({"p/a.py": now}, change(texts("p/a.py", OLD, NEW)))
    assert why == "patch_does_not_apply"
    assert "hunk" in detail
    assert "overlaps" in detail
    (found,) = made({"p/a.py": now}, change(blind(texts("p/a.py", OLD, NEW))))
    assert isinstance(found, RejectedCandidate)
    assert "+        count += item\n" in found.candidate.bug_patch
    assert reason({}, change(texts("p/a.py", OLD, NEW)))[1] == "abc: p/a.py: there is no such file"


def test_one_file_that_cannot_be_undone_holds_up_the_whole_change() -> None:
    files = {"p/a.py": NEW, "p/b.py": b"x = 1\n"}
    assert reason(files, change(texts("p/a.py", OLD, NEW), texts("p/b.py", b"y = 1\n", b"y = 2\n")))[0] == (
        "patch_does_not_apply"
    )
    assert reason({"p/new.py": OLD}, change(texts("p/new.py", None, NEW)))[0] == "patch_does_not_apply"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"a = 1  # one\n", b"a = 1\n", "equivalent"),
        (b'"""Old."""\n\n\ndef f(): return 1\n', b'"""New."""\n\n\ndef f(): return 1\n', "equivalent"),
        (b"print 'a'\n", b"print('a')\n", "syntax_error"),
        (b"a = '\xff'\n", b"a = 'y'\n", "syntax_error"),
    ],
)
def test_what_is_no_bug_by_its_text(before: bytes, after: bytes, expected: str) -> None:
    assert reason({"p/a.py": after}, change(texts("p/a.py", before, after)))[0] == expected


def test_the_same_bug_twice_is_a_duplicate() -> None:
    both = made({"p/a.py": NEW}, change(texts("p/a.py", OLD, NEW)), change(blind(texts("p/a.py", OLD, NEW))))
    assert [getattr(each, "reason", "") for each in both] == ["", "duplicate"]


def test_a_change_that_could_not_be_read_is_a_rejected_row() -> None:
    assert reason({}, SourceChange("x.patch", (), fault="line 3: what is this")) == (
        "patch_does_not_apply",
        "x.patch: line 3: what is this",
    )


def functions(count: int, step: int) -> bytes:
    return b"\n\n".join(
        b"def f%d(a):\n    b = a + %d\n    c = b * 2\n    return c\n" % (number, step * number)
        for number in range(count)
    )


def test_a_release_is_taken_apart_by_functions() -> None:
    files = {"p/a.py": NEW, "p/b.py": functions(3, 2)}
    release = change(texts("p/a.py", OLD, NEW), texts("p/b.py", functions(3, 1), functions(3, 2)), in_groups=True)
    found = [each for each in made(files, release) if isinstance(each, BugCandidate)]
    assert [each.explanation.partition("(")[2].partition(")")[0] for each in found] == [
        "",
        "total",
        "Box.shrink",
        "f1",
        "f2",
    ]
    for each in found:
        (path,) = patch.touched(each.bug_patch)
        assert undone(files, each)[path] != files[path]
    assert undone(files, found[1]) == {"p/a.py": NEW.replace(b"max(item, 0)", b"item")}


def test_what_needs_each_other_stays_together() -> None:
    old = (
        b"import json\n\n\ndef f(a):\n    return json.dumps(a)\n\n\ndef g(a):\n    return a\n\n\n"
        b"def h(a):\n    return a + 1\n"
    )
    new = (
        b"from p.tools import dump\n\n\ndef f(a):\n    return dump(a)\n\n\ndef g(a):\n    return dump(a)\n\n\n"
        b"def h(a):\n    return a + 2\n"
    )
    tools = b"def load(a):\n    return a\n"
    more = tools + b"\n\ndef dump(a):\n    return str(a)\n"
    files = {"p/a.py": new, "p/tools.py": more}
    release = change(texts("p/a.py", old, new), texts("p/tools.py", tools, more), in_groups=True)
    found = [undone(files, each) for each in made(files, release) if isinstance(each, BugCandidate)]
    assert found == [
        {"p/a.py": old.replace(b"a + 1", b"a + 2"), "p/tools.py": tools},
        {"p/a.py": new.replace(b"a + 2", b"a + 1")},
    ]


def test_one_statement_outside_of_functions_stays_whole() -> None:
    old = b"try:\n    import a\n\n    c = a.c\nexcept ImportError:\n    c = 1\n\nx = [\n    1,\n    2,\n    3,\n]\n"
    new = old.replace(b"x = [\n", b"x = (\n").replace(b"]\n", b")\n").replace(b"c = 1", b"c = 2")
    found = made({"a.py": new}, change(texts("a.py", old, new), in_groups=True))
    assert [getattr(each, "reason", "") for each in found] == ["", ""]


def test_a_member_that_changed_everywhere_stays_together() -> None:
    old = (
        b"class A:\n    def __init__(self):\n        self.rest = 0\n        self.x = 1\n\n"
        b"    def f(self, n):\n        n += self.x\n        self.rest -= n\n"
    )
    new = old.replace(b"self.rest = 0", b"self.rest = b''").replace(b"self.rest -= n", b"self.rest = self.rest[n:]")
    assert undone({"a.py": new}, one({"a.py": new}, change(texts("a.py", old, new), in_groups=True))) == {"a.py": old}


def test_what_is_larger_than_the_limits_is_taken_apart() -> None:
    files = {"p/a.py": NEW}
    whole = blind(texts("p/a.py", OLD, NEW))
    assert len(made(files, change(whole), limits=Limits(lines=6))) == 1
    assert len(made(files, change(whole), limits=Limits(lines=5))) == 3
    many = {f"p/f{number}.py": NEW for number in range(9)}
    apart = made(many, change(*(texts(path, OLD, NEW) for path in many)))
    assert len(apart) == 27
    assert all(isinstance(each, BugCandidate) for each in apart)


def test_what_cannot_be_taken_apart_is_too_large() -> None:
    old = b"def f():\n" + b"".join(b"    a%d = 1\n" % number for number in range(300))
    new = old.replace(b"= 1", b"= 2")
    why, detail = reason({"p/a.py": new}, change(texts("p/a.py", old, new)))
    assert why == "too_large"
    assert "600 changed lines" in detail
    assert reason({"p/a.py": NEW}, change(texts("p/a.py", None, NEW)), limits=Limits(lines=3))[0] == "too_large"
    assert reason({"p/a.py": NEW}, change(texts("p/a.py", OLD, NEW)), limits=Limits(file_lines=5))[0] == "too_large"


def test_a_limit_takes_files_in_turn_and_the_seed_says_which() -> None:
    files = {"p/a.py": functions(30, 2), "p/b.py": functions(30, 2)}
    release = change(*(texts(path, functions(30, 1), functions(30, 2)) for path in files), in_groups=True)
    first, again, other = (made(files, release, limit=6, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert {each.candidate_id for each in first if isinstance(each, BugCandidate)} != {
        each.candidate_id for each in other if isinstance(each, BugCandidate)
    }
    touched = [next(iter(patch.touched(each.bug_patch))) for each in first if isinstance(each, BugCandidate)]
    assert sorted(touched) == ["p/a.py"] * 3 + ["p/b.py"] * 3


# A model


@dataclass
class Model:
    """Answers with what it was given."""

    answers: list[str | LMError]
    asked: list[Request] = field(default_factory=list)
    finish_reason: str = "stop"
    cost_usd: float | None = 0.25
    model: str = "tiny"

    def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, LMError):
            raise answer
        return Completion(answer, self.model, self.finish_reason, 1, 1, self.cost_usd)


LATER = NEW.replace(b"count += max(item, 0)", b"count += abs(item)")
BACK = LATER.replace(b"abs(item)", b"item")
CONFLICT = change(blind(texts("p/a.py", OLD.replace(b"-= 2", b"-= 1").replace(b"= 3", b"= 4"), NEW)))


def fenced(text: bytes) -> str:
    return f"Here:\n\n```python\n{text.decode()}```\n"


def test_a_model_is_asked_where_nothing_else_helps() -> None:
    model = Model([fenced(BACK)])
    files = {"p/a.py": LATER}
    found = one(files, CONFLICT, lm=model)
    assert undone(files, found) == {"p/a.py": BACK}
    assert (found.operator, found.model, found.cost_usd) == ("lm", "tiny", 0.25)
    shown = model.asked[0].messages[1]["content"]
    assert "abs(item)" in shown
    assert "+        count += max(item, 0)" in shown
    assert one(files, CONFLICT, lm=Model([fenced(BACK)], cost_usd=None)).cost_usd is None


def test_a_model_is_not_asked_where_it_need_not_be() -> None:
    assert one({"p/a.py": NEW}, CONFLICT, lm=Model([])).operator == "reverse"
    assert reason({}, CONFLICT, lm=Model([]))[0] == "patch_does_not_apply"


def test_line_ends_of_the_file_are_given_back() -> None:
    files = {"p/a.py": LATER.replace(b"\n", b"\r\n")}
    assert undone(files, one(files, CONFLICT, lm=Model([fenced(BACK)]))) == {"p/a.py": BACK.replace(b"\n", b"\r\n")}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("no", "no_code"),
        (fenced(BACK) + fenced(BACK), "no_code"),
        ("```\n\n```\n", "no_code"),
        (fenced(BACK).removesuffix("```\n"), "no_code"),
        (fenced(BACK) + "```\n", "no_code"),
        (fenced(LATER), "unchanged"),
        (fenced(BACK.replace(b"def total(", b"def total")), "syntax_error"),
        (fenced(b"x = 1\n" * 200), "outside_entity"),
        (fenced(BACK.replace(b"+= item\n", b"+= item  # the bug\n")), "reveals_bug"),
        (fenced(LATER.replace(b"\n\n\nclass", b"  # same\n\n\nclass")), "equivalent"),
        (LMError("down", provider="p", status=500), "lm_error"),
        (ContextExceeded("too long", provider="p"), "too_large"),
    ],
)
def test_answers_that_are_of_no_use(answer: str | LMError, expected: str) -> None:
    (found,) = made({"p/a.py": LATER}, CONFLICT, lm=Model([answer]))
    assert isinstance(found, RejectedCandidate)
    assert found.reason == expected
    assert found.candidate.cost_usd == (0.0 if isinstance(answer, LMError) else 0.25)


def test_an_answer_that_was_cut_off_is_none() -> None:
    assert reason({"p/a.py": LATER}, CONFLICT, lm=Model([fenced(BACK)], finish_reason="length"))[0] == "no_code"


def test_a_file_that_is_too_long_is_shown_to_no_model() -> None:
    assert reason({"p/a.py": LATER + b"# x\n" * 9_000}, CONFLICT, lm=Model([]))[0] == "too_large"


@pytest.mark.parametrize("error", [BudgetExhausted("spent"), LMError("wrong key", status=401)])
def test_an_error_that_every_request_meets_ends_it_after_what_was_made(error: LMError) -> None:
    strategy = PrMirror((CONFLICT, CONFLICT), Model([fenced(BACK), error]))  # type: ignore[arg-type]
    results = strategy.candidates(ground({"p/a.py": LATER}))
    assert isinstance(next(results), BugCandidate)
    with pytest.raises(type(error)):
        next(results)


@pytest.mark.parametrize(
    "text",
    [
        fenced(BACK).replace("```", "~~~"),
        fenced(BACK).replace("\n", "\r\n"),
        "<think>\n```\nx\n```\n</think>\n" + fenced(BACK),
        "1. So:\n\n   ```python\n" + "".join(f"   {row}\n" for row in BACK.decode().splitlines()) + "   ```\n",
    ],
)
def test_forms_of_an_answer_that_models_choose(text: str) -> None:
    files = {"p/a.py": LATER}
    assert undone(files, one(files, CONFLICT, lm=Model([text]))) == {"p/a.py": BACK}


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "pr_mirror.toml").write_text('user = "$path\\n$fence\\n$file\\n$fence\\n$diff"')
    files = {"p/a.py": LATER + b'"""\n```\n"""\n'}
    model = Model([fenced(BACK)])
    made(files, CONFLICT, lm=model, prompts=tmp_path)
    (message,) = model.asked[0].messages
    assert message["content"].startswith("p/a.py\n````\nimport os\n")
    assert '"""\n````\n--- ' in message["content"]
    (tmp_path / "pr_mirror.toml").write_text('user = "$code"')
    with pytest.raises(InputError, match=r"pr_mirror\.toml: `user`, line 1: unknown placeholder \$code"):
        PrMirror((CONFLICT,), model, tmp_path).candidates(ground(files))  # type: ignore[arg-type]
    assert made({"p/a.py": NEW}, CONFLICT, prompts=tmp_path), "without a model no prompt is read"


def test_what_is_made_hangs_on_what_a_folder_of_prompts_holds(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pr_mirror.toml").write_text('user = "$file"')
    for strategy in ("pr_mirror", "lm_modify"):
        ours, one_, two = [Means(prompts=each).key(strategy) for each in (None, tmp_path / "one", tmp_path / "two")]
        assert ours != one_ == two
        (tmp_path / "two" / "pr_mirror.toml").write_text(f'user = "$file {strategy}"')
        assert Means(prompts=tmp_path / "two").key(strategy) != one_
        (tmp_path / "two" / "pr_mirror.toml").write_text('user = "$file"')


def test_a_diff_of_git_is_taken_back() -> None:
    text = (
        b"diff --git a/p/a.py b/p/b.py\nsimilarity index 90%\nrename from p/a.py\nrename to p/b.py\n"
        b"--- a/p/a.py\n+++ b/p/b.py\n@@ -1,3 +1,3 @@\n a = 1\n-b = 2\n+b = 3\n c = 4\n"
    )
    files = {"p/b.py": b"a = 1\nb = 3\nc = 4\n"}
    found = one(files, change(*sections.read(text).files))
    assert undone(files, found) == {"p/b.py": None, "p/a.py": b"a = 1\nb = 2\nc = 4\n"}


@pytest.mark.network
def test_two_releases_of_a_real_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path))
    from swesmith_gym.repos import sources
    from swesmith_gym.tasks import tree as trees

    profile = profiles.load("h11")
    (release,) = given.changes_from(profile, releases_from_to=("0.14.0", ""))
    files = trees.contents(sources.fetch(profile.source, expected=profile.source_hash).tree)
    tree = Ground("h11", files, languages.get("python"), lambda path: "/tests/" not in path)
    found = list(PrMirror((release,)).candidates(tree))
    kept = [each for each in found if isinstance(each, BugCandidate)]
    assert len(kept) >= 5
    for each in kept:
        assert each.operator == "reverse"
        for path, data in patch.apply(each.bug_patch, files.get).items():
            assert data is not None
            assert data != files[path]
            compile(data, path, "exec")
    readers = [each for each in kept if "_readers.py" in each.bug_patch]
    assert ["ChunkedReader.__init__, ChunkedReader.__call__" in each.explanation for each in readers] == [True]
