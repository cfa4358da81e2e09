"""Procedural candidates: diffs that apply, ids, seeds, reasons, an even spread."""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace as changed

import pytest

from swesmith_gym import languages
from swesmith_gym.bugs.base import Ground
from swesmith_gym.bugs.procedural import Procedural
from swesmith_gym.bugs.registry import Means, strategy
from swesmith_gym.errors import InputError
from swesmith_gym.languages.base import Mutation
from swesmith_gym.languages.python.entities import Scope
from swesmith_gym.languages.python.language import Python
from swesmith_gym.languages.python.operators import Edit, Example, Operator, register, replace, unregister
from swesmith_gym.patch import apply, parse
from swesmith_gym.records import REJECTION_REASONS, BugCandidate, RejectedCandidate, content_id

ONE = b"""\
def total(items, start=0):
    count = start
    for item in items:
        if item is None or item < 0:
            continue
        count += item * 2 - 1
    return count


def clip(value, low, high):
    if value < low:
        return low
    if value > high:
        return high
    return value
"""
TWO = ONE.replace(b"total", b"amount").replace(b"clip", b"bound").replace(b"\n", b"\r\n")
FILES = {
    "pkg/one.py": ONE,
    "pkg/two.py": TWO,
    "pkg/broken.py": b"def f(:\n",
    "pkg/latin.py": b"# -*- coding: latin-1 -*-\ndef f(a): return a < '\xe9'\n",
    "pkg/data.txt": b"1 < 2\n",
    "tests/test_one.py": ONE,
}


def allowed(path: str) -> bool:
    return not path.startswith("tests/")


def make(**options: object) -> list[BugCandidate | RejectedCandidate]:
    ground = Ground("r", options.pop("files", FILES), languages.get("python"), allowed)  # type: ignore[arg-type]
    return list(Procedural(tuple(options.pop("operators", ()))).candidates(ground, **options))  # type: ignore[arg-type,call-overload]


def kept(**options: object) -> list[BugCandidate]:
    return [each for each in make(**options) if isinstance(each, BugCandidate)]


def test_each_patch_applies_and_changes_one_source_file() -> None:
    candidates = kept()
    assert len(candidates) > 40
    for each in candidates:
        patches = parse(each.bug_patch)
        assert [patch.before for patch in patches] in (["pkg/one.py"], ["pkg/two.py"])
        path = str(patches[0].after)
        after = apply(each.bug_patch, FILES.get)[path]
        assert after
        assert after != FILES[path]
        compile(after, path, "exec")
        assert after.count(b"\r\n") == (after.count(b"\n") if path == "pkg/two.py" else 0)


def test_fields_and_ids() -> None:
    candidates = kept(seed=4)
    for each in candidates:
        assert each.candidate_id == content_id("r", each.bug_patch)[:16]
        assert (each.repo, each.strategy, each.seed, each.cost_usd) == ("r", "procedural", 4, 0.0)
        assert each.operator in languages.get("python").operator_names()
        assert each.explanation.startswith("In `")
        assert each.explanation.endswith(".")
    assert len({each.candidate_id for each in candidates}) == len(candidates)


def test_same_seed_same_bugs_other_seed_other_bugs() -> None:
    for limit in (None, 20):
        assert make(seed=1, limit=limit) == make(seed=1, limit=limit)
        first, second = ({each.candidate_id for each in kept(seed=seed, limit=limit)} for seed in (1, 2))
        assert first != second


def test_order_of_files_does_not_matter() -> None:
    turned = dict(reversed(FILES.items()))
    assert make(files=turned) == make()
    assert make(files=turned, limit=15) == make(limit=15)


def test_other_files_do_not_change_the_bugs_of_a_file() -> None:
    alone = {each.candidate_id for each in kept(files={"pkg/one.py": ONE})}
    assert alone <= {each.candidate_id for each in kept()}


def test_a_limited_run_is_a_part_of_the_whole() -> None:
    everything = {each.candidate_id for each in kept()}
    assert {each.candidate_id for each in kept(limit=25)} <= everything


def test_limit_is_spread_over_operators_and_files() -> None:
    candidates = kept(limit=20)
    assert len(candidates) == 20
    operators = Counter(each.operator for each in candidates)
    assert max(operators.values()) <= 2
    files = Counter(parse(each.bug_patch)[0].after for each in candidates)
    assert set(files) == {"pkg/one.py", "pkg/two.py"}
    assert min(files.values()) >= 5


def test_limit_counts_candidates_not_rejected_ones() -> None:
    assert len(kept(limit=10_000)) == len(kept())
    assert len(kept(limit=7)) == 7


def test_duplicates_come_out_rejected() -> None:
    results = make(operators=["flip_operators", "op_change", "guard_remove", "remove_cond"])
    rejected = [each for each in results if isinstance(each, RejectedCandidate)]
    assert {each.reason for each in rejected} == {"duplicate"}
    ids = [each.candidate_id for each in results if isinstance(each, BugCandidate)]
    assert len(ids) == len(set(ids))
    assert all(each.candidate.candidate_id in ids for each in rejected)
    assert {"duplicate", "equivalent"} <= REJECTION_REASONS


def test_equivalents_come_out_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Python.mutations

    def with_comment(self: Python, *given: object) -> Iterator[Mutation]:
        for each in itertools.islice(usual(self, *given), 1):  # type: ignore[arg-type]
            yield changed(each, source=ONE.decode().replace("return low\n", "return low  # c\n"))

    monkeypatch.setattr(Python, "mutations", with_comment)
    results = make(files={"pkg/one.py": ONE})
    assert [getattr(each, "reason", "") for each in results] == ["equivalent"]


def test_unknown_names_fail_at_once() -> None:
    with pytest.raises(InputError, match="procedural"):
        strategy("lm_forget", Means())
    with pytest.raises(InputError, match="nothing"):
        strategy("procedural", Means(operators=["nothing"])).candidates(
            Ground("r", FILES, languages.get("python"), allowed)
        )


def test_nothing_to_do() -> None:
    assert make(files={}) == []
    assert make(files={}, limit=5) == []
    assert make(limit=0) == []


def test_a_users_operator_makes_candidates() -> None:
    @register
    class Tenfold(Operator[ast.Constant]):
        """Ten times as much."""

        name = "tenfold"
        sentence = "a number is ten times as large"
        valid = (Example.of("def f(): return 2", "def f(): return 20"),)

        def sites(self, scope: Scope) -> Iterator[ast.Constant]:
            yield from (each for each in scope.find(ast.Constant) if each.value == 2)

        def edits(self, scope: Scope, site: ast.Constant) -> Iterator[tuple[Edit, ...]]:
            yield (replace(scope, site, "20"),)

    try:
        assert len(kept(operators=["tenfold"])) == 2
    finally:
        unregister("tenfold")
