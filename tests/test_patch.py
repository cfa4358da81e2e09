"""The strict applier, against git as the oracle and against diffs that must not apply."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from swesmith_gym import diff, patch
from swesmith_gym.errors import PatchDoesNotApply

_PIECES = [
    b"a",
    b"b",
    b"x y",
    b"\xff\xfe",
    b"l\x0cf",
    b"u\x85v",
    b"--- a",
    b"+++ b",
    b"@@ -1 +1 @@",
    b"",
    "é\u2028z".encode(),
]


def _random_file(rng: random.Random) -> list[bytes]:
    return [rng.choice(_PIECES) + rng.choice([b"\n", b"\r\n", b"\n"]) for _ in range(rng.randint(0, 30))]


def _edited(lines: list[bytes], rng: random.Random) -> list[bytes]:
    out = list(lines)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(out))
        if rng.random() < 0.5 and at < len(out):
            del out[at]
        else:
            out.insert(at, b"new %d\n" % rng.randint(0, 9))
    return out


def _git_diff(folder: Path, before: bytes, after: bytes) -> str:
    (folder / "f").write_bytes(before)
    subprocess.run(["git", "add", "-A", "-f"], cwd=folder, check=True)
    (folder / "f").write_bytes(after)
    done = subprocess.run(["git", "diff", "--no-color", "--text"], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape")


def test_gives_what_git_was_given(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    rng = random.Random(7)
    for _ in range(60):
        lines = _random_file(rng)
        before, after = b"".join(lines), b"".join(_edited(lines, rng))
        if rng.random() < 0.3:
            after = after.rstrip(b"\n")
        if before != after:
            assert patch.apply(_git_diff(tmp_path, before, after), {"f": before}.get) == {"f": after}


def test_finds_a_hunk_that_moved() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
    assert patch.apply(text, {"f": b"x\ny\na\nb\nc\n"}.get) == {"f": b"x\ny\na\nB\nc\n"}


def test_makes_deletes_and_renames() -> None:
    text = (
        "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n"
        "--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-o\n"
        "diff --git a/from b/to\nsimilarity index 50%\nrename from from\nrename to to\n"
        "--- a/from\n+++ b/to\n@@ -1 +1 @@\n-1\n+2\n"
    )
    files = {"old": b"o\n", "from": b"1\n"}
    assert patch.apply(text, files.get) == {"new": b"n\n", "old": None, "from": None, "to": b"2\n"}


def test_reads_modes() -> None:
    text = "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+2\n"
    assert patch.modes(text, {"f": 0o644}) == {"f": 0o755}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n+y\n", "is not there"),
        ("--- a/g\n+++ b/g\n@@ -1 +1 @@\n-x\n+y\n", "no such file"),
        ("--- a/../f\n+++ b/../f\n@@ -1 +1 @@\n-1\n+2\n", "leaves the tree"),
        ("--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-1\n+2\n", "leaves the tree"),
        ("--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+2\n", "git's folder"),
        ("--- /dev/null\n+++ b/sub/.GIT/config\n@@ -0,0 +1 @@\n+2\n", "git's folder"),
        ("--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+2\n", "but it exists"),
        (
            "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n",
            "link or a submodule",
        ),
        ("diff --git a/m b/m\nnew file mode 160000\n--- /dev/null\n+++ b/m\n@@ -0,0 +1 @@\n+Subproject\n", "submodule"),
        ("diff --git a/b b/b\nGIT binary patch\nliteral 1\n", "binary"),
        ("--- a/f\n+++ b/f\n@@ -1,3 +1 @@\n-1\n+2\n", "malformed"),
        ("certainly, here is the patch you asked for\n", "no file header"),
        ("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n", "leaves text in it"),
    ],
)
def test_refuses(text: str, reason: str) -> None:
    with pytest.raises(PatchDoesNotApply, match=reason):
        patch.apply(text, {"f": b"1\nmore\n"}.get)


def test_refuses_what_is_too_large() -> None:
    with pytest.raises(PatchDoesNotApply, match="limit"):
        patch.parse("x" * (patch.MAX_PATCH_BYTES + 1))


def test_a_far_away_line_number_costs_nothing() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1000000000000,2 +1,2 @@\n 1\n-more\n+less\n"
    assert patch.apply(text, {"f": b"1\nmore\n"}.get) == {"f": b"1\nless\n"}


def test_a_file_is_patched_once_and_no_file_is_a_folder() -> None:
    once = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+2\n"
    with pytest.raises(PatchDoesNotApply, match="twice"):
        patch.apply(once + once, {"f": b"1\n"}.get)
    with pytest.raises(PatchDoesNotApply, match="f is a file"):
        patch.apply("--- /dev/null\n+++ b/f/g\n@@ -0,0 +1 @@\n+2\n", {"f": b"1\n"}.get)


@pytest.mark.parametrize("name", ['say "hi".py', "back\\slash.py", "tab\t.py", "é.py", "a b.py"])
def test_names_survive_the_way_through_a_diff(name: str) -> None:
    made = diff.unified(name, "1\n", "GIT binary patch\n")
    assert patch.apply(made, {name: b"1\n"}.get) == {name: b"GIT binary patch\n"}


def test_a_change_of_mode_alone() -> None:
    made = diff.of_changes(
        [diff.Change("f", b"1\n", b"1\n", 0o644, 0o755), diff.Change("n", None, b"1\n", new_mode=0o755)]
    )
    assert patch.apply(made, {"f": b"1\n"}.get) == {"f": b"1\n", "n": b"1\n"}
    assert patch.modes(made, {"f": 0o644}) == {"f": 0o755, "n": 0o755}


def test_a_large_rewrite_is_one_block_and_quick() -> None:
    lines = [f"{n % 1000}\n" for n in range(80_000)]
    before, after = "".join(lines), "".join(reversed(lines))
    assert patch.apply(diff.unified("f", before, after), {"f": before.encode()}.get) == {"f": after.encode()}
