"""Where changes come from: patch files with their headers, ranges of commits, two releases; what is refused."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from swesmith_gym import diff, patch
from swesmith_gym.errors import InputError, PatchDoesNotApply, ProfileError
from swesmith_gym.records import RepoProfile
from swesmith_gym.repos.changes import commits, given, headers, merging, patch_files, releases, sections
from swesmith_gym.repos.changes.base import FileChange, of_texts, rendered

DIFF = diff.unified("p/a.py", "a = 1\nb = 2\n", "a = 1\nb = 3\n").encode()
PROFILE = RepoProfile("pkg", "pypi:pkg==1.1", "0" * 64)


def paths(data: bytes, strip: int | None = None) -> list[tuple[str | None, str | None]]:
    return [(each.patch.before, each.patch.after) for each in sections.read(data, strip).files]


# A patch file


def test_a_diff_is_cut_by_the_counts_of_its_hunks() -> None:
    data = b"words\n--- not a head\n" + DIFF + b"-- \n2.39\n\n" + DIFF.replace(b"a.py", b"b.py")
    found = sections.read(data)
    assert found.head == b"words\n--- not a head\n"
    assert [each.paths for each in found.files] == [("p/a.py",), ("p/b.py",)]
    tricky = b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n--- a/y.py\n+++ b/y.py\n @@ -1 +1 @@\n"
    (file,) = sections.read(tricky).files
    assert file.patch.hunks[0].old == (b"-- a/y.py\n", b"@@ -1 +1 @@\n")


def test_hunks_are_what_patch_reads() -> None:
    before, after = "a\r\nb\nc", "a\r\nB\nc\n"
    data = diff.unified("x y.py", before, after)
    (file,) = sections.read(data.encode()).files
    assert file.patch == patch.parse(data)[0]
    assert patch.parse(rendered((file.patch,)))[0] == file.patch


@pytest.mark.parametrize(
    ("old", "new", "strip", "expected"),
    [
        ("a/x.py", "b/x.py", None, ("x.py", "x.py")),
        ("i/x.py", "w/x.py", None, ("x.py", "x.py")),
        ("src/x.py", "src/x.py", None, ("src/x.py", "src/x.py")),
        ("pkg-1.0/x.py\t2020-01-01 00:00:00", "pkg-1.1/x.py\t2021-01-01", None, ("x.py", "x.py")),
        ("x.py.orig", "x.py", None, ("x.py", "x.py")),
        ("/dev/null", "b/x.py", None, (None, "x.py")),
        ("a/x.py", "/dev/null", None, ("x.py", None)),
        ("pkg.orig/x.py", "pkg/x.py", 1, ("x.py", "x.py")),
        ("src/x.py", "src/x.py", 0, ("src/x.py", "src/x.py")),
        ('"a/\\303\\251.py"', '"b/\\303\\251.py"', None, ("é.py", "é.py")),
        ("a/x.py\r", "b/x.py\r", None, ("x.py", "x.py")),
    ],
)
def test_paths(old: str, new: str, strip: int | None, expected: tuple[str | None, str | None]) -> None:
    assert paths(f"--- {old}\n+++ {new}\n@@ -1 +1 @@\n-a\n+b\n".encode(), strip) == [expected]


def test_diff_1_says_by_the_date_that_a_file_was_not_there() -> None:
    made = b"--- old/x.py\t1970-01-01 00:00:00.000000000 +0000\n+++ new/x.py\t2020-01-01\n@@ -0,0 +1 @@\n+a\n"
    assert paths(made) == [(None, "new/x.py")]


def test_renames_binary_files_and_links() -> None:
    rename = b"diff --git a/p/a.py b/p/b.py\nsimilarity index 100%\nrename from p/a.py\nrename to p/b.py\n"
    binary = b"diff --git a/l.png b/l.png\nindex 1..2 100644\nGIT binary patch\nliteral 4\nabcd\n\n"
    other = b"diff --git a/m.png b/m.png\nBinary files a/m.png and b/m.png differ\n"
    link = (
        b"diff --git a/ln b/ln\nnew file mode 120000\nindex 0000000..1234567\n--- /dev/null\n+++ b/ln\n"
        b"@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"
    )
    mode = b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    found = sections.read(rename + binary + mode + other + link + DIFF)
    assert [(each.patch.before, each.patch.after) for each in found.files] == [
        ("p/a.py", "p/b.py"),
        ("p/a.py", "p/a.py"),
    ]
    assert found.others == ("l.png", "m.png", "ln")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"--- a/x\n+++ b/x\n@@ nonsense @@\n", "line 3: not the head"),
        (b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n", "line 6: the hunk does not have"),
        (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n", "line 5: the hunk does not have"),
        (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n", "line 6: the hunk above has more"),
        (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\nwhat\n", "line 4"),
        (b"diff --cc x.py\n--- a/x.py\n+++ b/x.py\n@@@ -1,1 -1,1 +1,1 @@@\n", "line 1: it is the combined diff"),
        (b"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "leaves the tree"),
        (b"--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-a\n+b\n", "git's folder"),
    ],
)
def test_malformed_diffs_are_refused_by_line(data: bytes, said: str) -> None:
    with pytest.raises(PatchDoesNotApply, match=said):
        sections.read(data)


def test_a_path_with_too_few_folders_is_refused() -> None:
    assert paths(DIFF, 2) == [("a.py", "a.py")]
    with pytest.raises(PatchDoesNotApply, match="no 3 folders"):
        sections.read(DIFF, 3)


# What stands above it

MAIL = b"""\
From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001
From: =?utf-8?q?J=C3=B6rg?= <j@example.org>
Date: Mon, 1 Jan 2024 00:00:00 +0000
Subject: [PATCH 2/3] =?utf-8?q?Do_not_count_=C3=A9?=
 twice

It counted them twice.

Signed-off-by: J <j@example.org>
---
 p/a.py | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

"""
DEP3 = b"""\
Description: Close the file
 It stayed open.
 .
 Not any more.
Author: A <a@example.org>
Origin: upstream, https://example.org/c/1
Bug: https://example.org/i/1
Bug-Debian: https://bugs.debian.org/1
Forwarded: not-needed
Last-Update: 2020-01-01
---
This header follows DEP-3.
"""


@pytest.mark.parametrize(
    ("head", "text", "origin"),
    [
        (MAIL, "Do not count é twice\n\nIt counted them twice.", "commit 123456789012"),
        (
            DEP3,
            "Close the file\nIt stayed open.\n\nNot any more.",
            "Origin: upstream, https://example.org/c/1; Bug: https://example.org/i/1; "
            "Bug-Debian: https://bugs.debian.org/1",
        ),
        (
            b"From: A <a@b>\nSubject: Fix it\n\nWhy.\n\nOrigin: backport, abc\nBug-Debian: 12\n---\n p | 1 +\n",
            "Fix it\n\nWhy.",
            "Origin: backport, abc; Bug-Debian: 12",
        ),
        (b"Description: Fix it\n Applied-Upstream: 2.2\n", "Fix it", ""),
        (b"Note: this is prose\nand no field.\n", "Note: this is prose\nand no field.", ""),
        (b"# HG changeset patch\n# User x\nFix it\n\ndiff -r 1 -r 2 x.py\n", "Fix it", ""),
        (b"\xff\xfe", "\ufffd\ufffd", ""),
        (b"", "", ""),
        (b"Subject: =?nonsense?q?x?=\n", "=?nonsense?q?x?=", ""),
    ],
)
def test_headers(head: bytes, text: str, origin: str) -> None:
    assert headers.described(head) == (text, origin)


# Files and folders


def test_one_file_and_a_mailbox(tmp_path: Path) -> None:
    file = tmp_path / "x.patch"
    file.write_bytes(MAIL + DIFF)
    (change,) = patch_files.from_patches(file)
    assert (change.name, change.text.split("\n")[0]) == ("x.patch", "Do not count é twice")
    file.write_bytes(MAIL + DIFF + b"-- \n2.39\n\n" + MAIL + DIFF)
    assert [each.name for each in patch_files.from_patches(file)] == ["x.patch:1", "x.patch:2"]


def test_a_series_gives_the_order_and_how_many_folders_to_take_off(tmp_path: Path) -> None:
    (tmp_path / "series").write_text("# first\nz.patch\n\nsub/a.diff -p0 # second\n")
    (tmp_path / "z.patch").write_bytes(DEP3 + b"--- pkg.orig/p/a.py\n+++ pkg/p/a.py\n@@ -1 +1 @@\n-a\n+b\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.diff").write_bytes(b"--- p/a.py\n+++ p/a.py\n@@ -1 +1 @@\n-a\n+b\n")
    (tmp_path / "unused.patch").write_bytes(DIFF)
    found = patch_files.from_patches(tmp_path)
    assert [(each.name, each.files[0].paths) for each in found] == [
        ("z.patch", ("p/a.py",)),
        ("sub/a.diff", ("p/a.py",)),
    ]


def test_a_folder_without_a_series_is_sorted_and_a_malformed_file_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "b.patch").write_bytes(DIFF)
    (tmp_path / "a.diff").write_bytes(b"--- a/x\n+++ b/x\n@@ -1,3 +1 @@\n a\n")
    (tmp_path / "notes.txt").write_text("no diff")
    found = patch_files.from_patches(tmp_path)
    assert [(each.name, bool(each.files)) for each in found] == [("a.diff", False), ("b.patch", True)]
    assert "line 5" in found[0].fault


def test_what_is_no_patch_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.patch: no such file"):
        patch_files.from_patches(tmp_path / "x.patch")
    with pytest.raises(InputError, match="holds no"):
        patch_files.from_patches(tmp_path)
    (tmp_path / "x.patch").write_text("words\n")
    with pytest.raises(InputError, match=r"x\.patch: there is no diff"):
        patch_files.from_patches(tmp_path)
    (tmp_path / "x.patch").write_bytes(b"--- a/x\n+++ b/x\n@@ -1,3 +1 @@\n a\n")
    with pytest.raises(InputError, match=r"x\.patch: not a usable patch: line 5"):
        patch_files.from_patches(tmp_path / "x.patch")
    (tmp_path / "series").write_text("gone.patch\n")
    with pytest.raises(InputError, match=r"gone\.patch: no such file, but .*series names it"):
        patch_files.from_patches(tmp_path)
    (tmp_path / "series").write_text("../../etc/passwd\n")
    with pytest.raises(InputError, match="leads out of"):
        patch_files.from_patches(tmp_path)


def test_patches_get_whole_files_from_the_tree_that_they_were_made_for(served: str, tmp_path: Path) -> None:
    folder = tmp_path / "patches"
    folder.mkdir()
    (folder / "series").write_text("1.patch\n2.patch\n3.patch\n")
    (folder / "1.patch").write_text(diff.unified("p/a.py", "a = 1\n", "a = 1\nb = 1\n"))
    (folder / "2.patch").write_text(diff.unified("p/a.py", "a = 1\nb = 1\n", "a = 1\nb = 2\n"))
    (folder / "3.patch").write_text(diff.unified("p/a.py", "other = 1\n", "other = 2\n"))
    found = given.changes_from(PROFILE, patches=folder, patches_on="1.0", index_url=served)
    assert [(each.files[0].before, each.files[0].after) for each in found] == [
        (b"a = 1\n", b"a = 1\nb = 1\n"),
        (b"a = 1\nb = 1\n", b"a = 1\nb = 2\n"),
        (None, None),
    ]
    with pytest.raises(InputError, match="--patches-on needs"):
        given.changes_from(PROFILE, git_range="a..b", git_source="x", patches_on="1.0")


# Commits


def git(folder: Path, *args: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str | bytes | None], message: str) -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    body = "".join(f"a{n} = {n}\n" for n in range(20))
    commit(folder, {"p/a.py": body, "p/b.py": "x = 1\n", "d.md": "d\n"}, "first")
    git(folder, "tag", "v1")
    (folder / ".gitattributes").write_text("*.py diff=evil filter=evil\n")
    git(folder, "config", "diff.evil.textconv", "touch evil-ran; cat")
    git(folder, "config", "diff.external", "touch evil-ran; true")
    (folder / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\ntouch evil-ran\n")
    commit(folder, {"p/a.py": body.replace("a5 = 5", "a5 = 6"), "d.md": "e\n"}, "Count é\n\nMore.")
    commit(folder, {"p/a.py": None, "p/c.py": body, "p/b.py": None, "p/n.py": "n = 1\n"}, "move")
    git(folder, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(folder, {"p/b.py": "x = 2\n", "l.png": b"\0\1"}, "side")
    git(folder, "checkout", "-q", "main")
    return folder


def test_a_range_gives_a_change_for_each_commit_with_whole_files(clone: Path) -> None:
    first, second = commits.from_range(str(clone), "v1..main", keep=lambda path: path.endswith(".py"))
    assert (first.text, first.origin[:7]) == ("Count é\n\nMore.", "commit ")
    assert first.name == git(clone, "rev-parse", "main~1")[:12]
    assert sorted(first.others) == [".gitattributes", "d.md"]
    (file,) = first.files
    assert file.whole
    assert patch.apply_parsed((file.patch,), {"p/a.py": file.before}.get) == {"p/a.py": file.after}
    names = {(each.patch.before, each.patch.after) for each in second.files}
    assert names == {("p/a.py", "p/c.py"), ("p/b.py", None), (None, "p/n.py")}
    assert not list(clone.rglob("evil-ran"))


def test_a_merge_is_what_it_changed_of_its_first_parent(clone: Path) -> None:
    git(clone, "checkout", "-q", "main~1")
    git(clone, "merge", "-q", "--no-ff", "-m", "Merge side", "side")
    git(clone, "branch", "merged")
    side, merge = commits.from_range(str(clone), "main~1..merged")
    assert (side.text, merge.text) == ("side", "Merge side")
    assert side.files == merge.files
    assert side.others == ("l.png",)


def test_ranges_that_are_none(clone: Path, tmp_path: Path) -> None:
    for span in ("v1", "v1...main", "..main", "v1..", "--all..main", "a b..c"):
        with pytest.raises(InputError, match="not a range"):
            commits.from_range(str(clone), span)
    with pytest.raises(InputError, match="right way round"):
        commits.from_range(str(clone), "main..v1")
    with pytest.raises(ProfileError, match="no branch, tag or commit 'v9'"):
        commits.from_range(str(clone), "v1..v9")
    with pytest.raises(InputError, match="no such git repository"):
        commits.from_range(str(tmp_path / "gone"), "v1..v2")
    with pytest.raises(ProfileError, match="git cannot fetch"):
        commits.from_range(str(tmp_path), "v1..v2")


def test_too_many_commits(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MAX_COMMITS", 1)
    with pytest.raises(InputError, match="there are 2 commits"):
        commits.from_range(str(clone), "v1..main")


def test_an_empty_commit_changes_nothing(clone: Path) -> None:
    commit(clone, {}, "empty")
    (change,) = commits.from_range(clone.as_uri(), "main~1..main")
    assert (change.files, change.others, change.text) == ((), (), "empty")


# Releases


def sdist(name: str, files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package index in a folder."""
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / "home"))
    page = tmp_path / "index" / "pkg"
    page.mkdir(parents=True)
    old = {"p/a.py": b"a = 1\n", "p/gone.py": b"g = 1\n", "d.md": b"d\n", "p/same.py": b"s\n", "p/bin.py": b"\0"}
    new = {"p/a.py": b"a = 2\n", "src/new.py": b"n = 1\n", "d.md": b"e\n", "p/same.py": b"s\n", "p/bin.py": b"\0\1"}
    links = ""
    for version, files in (("1.0", old), ("1.1", new)):
        data = sdist(f"pkg-{version}", files)
        (page / f"pkg-{version}.tar.gz").write_bytes(data)
        links += f'<a href="pkg-{version}.tar.gz#sha256={hashlib.sha256(data).hexdigest()}">x</a>'
    (page / "index.html").write_text(links)
    return (tmp_path / "index").as_uri()


@pytest.fixture
def served(index: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, where a folder's address gives its page: `file:` addresses know no index.html."""
    from swesmith_gym.repos import index as module

    usual = module._get

    def get(url: str, ca: Path | None, missing: str) -> tuple[bytes, str, str]:
        if not url.endswith("/"):
            return usual(url, ca, missing)
        body, _, _ = usual(url + "index.html", ca, missing)
        return body, "text/html", url

    monkeypatch.setattr(module, "_get", get)
    return index


def test_two_releases_are_compared_by_equal_paths(served: str) -> None:
    (change,) = releases.between("pkg", "1.0", "1.1", keep=lambda path: path.endswith(".py"), index_url=served)
    assert change.name == "1.0..1.1"
    assert change.in_groups
    assert [(each.paths, each.before, each.after) for each in change.files] == [(("p/a.py",), b"a = 1\n", b"a = 2\n")]
    assert change.others == ("d.md", "p/bin.py")


def test_the_profiles_own_release_is_the_newer_one(served: str, tmp_path: Path) -> None:
    data = (tmp_path / "index" / "pkg" / "pkg-1.1.tar.gz").read_bytes()
    profile = RepoProfile("x", "pypi:pkg==1.1", hashlib.sha256(data).hexdigest())
    (change,) = given.changes_from(profile, releases_from_to=("1.0", ""), index_url=served)
    assert change.name == "1.0..1.1"
    with pytest.raises(ProfileError, match="the profile"):
        given.changes_from(PROFILE, releases_from_to=("1.0", "1.1"), index_url=served)


# What a user asks for


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "no change to take back: give --patches PATH"),
        ({"patches": Path("x"), "git_range": "a..b"}, "not from --patches and --range"),
        ({"releases_from_to": ("1.0", ""), "git_range": "a..b"}, "not from --range and --from"),
        ({"releases_from_to": ("", "1.1")}, "--to needs --from"),
        ({"git_source": "x", "patches": Path("x")}, "--git-source needs --range"),
        ({"git_range": "a..b"}, "pkg comes from pypi:pkg==1.1: name its git repository with --git-source"),
        ({"releases_from_to": ("1.1", "")}, "are one release"),
    ],
)
def test_requests_that_cannot_be_met(asked: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        given.changes_from(PROFILE, **asked)  # type: ignore[arg-type]
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_profiles_own_repository(clone: Path) -> None:
    for source in (f"git+{clone.as_uri()}@main", f"local:{clone}"):
        found = given.changes_from(RepoProfile("x", source, "0"), git_range="v1..main")
        assert [len(each.files) for each in found] == [1, 3]
    with pytest.raises(InputError, match="no releases"):
        given.changes_from(RepoProfile("x", f"local:{clone}", "0"), releases_from_to=("1", "2"))


# Merges


def test_a_three_way_merge() -> None:
    base = b"a\nb\nc\nd\ne\n"
    assert merging.merged(base, b"A\nb\nc\nd\ne\n", b"a\nb\nc\nd\nE\n") == b"A\nb\nc\nd\nE\n"
    assert merging.merged(base, b"A\nb\nc\nd\ne\n", b"B\nb\nc\nd\ne\n") is None
    assert merging.merged(b"\0", b"\0a", b"\0b") is None
    crlf, end = base.replace(b"\n", b"\r\n"), b"E"
    assert merging.merged(crlf, crlf.replace(b"a", b"A"), crlf.replace(b"e\r\n", end)) == (
        crlf.replace(b"a", b"A").replace(b"e\r\n", end)
    )


def test_git_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProfileError, match="git is not installed"):
        merging.merged(b"a", b"b", b"c")


def test_a_binary_file_has_no_change_to_show() -> None:
    assert of_texts("a", "a", b"\0", b"b") is None
    found = of_texts("a", "a", b"a\n", b"b\n")
    assert isinstance(found, FileChange)
    assert found.lines == 2
