"""Archives are hostile: what a source tree must not hold is refused, and nothing touches the disk."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from swesmith_gym.errors import ProfileError
from swesmith_gym.repos import archives
from swesmith_gym.tasks.tree import LINK


def tar(*members: tuple[str, bytes | None, dict[str, object]], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data, extra in members:
            info = tarfile.TarInfo(name)
            info.size = len(data or b"")
            for key, value in extra.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def link(name: str, target: str) -> tuple[str, bytes | None, dict[str, object]]:
    return name, None, {"type": tarfile.SYMTYPE, "linkname": target}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w"])
def test_the_top_folder_is_taken_off_and_modes_are_two(mode: str) -> None:
    data = tar(("p-1/a.py", b"x", {"mode": 0o600}), ("p-1/run", b"y", {"mode": 0o4755}), mode=mode)
    assert archives.unpack(data, "p-1.tar.gz") == {"a.py": (0o644, b"x"), "run": (0o755, b"y")}


def test_links_inside_are_kept() -> None:
    data = tar(("p/docs/x.md", b"x", {}), link("p/README", "docs/x.md"), link("p/docs/up", "../README"))
    tree = archives.unpack(data, "p.tar.gz")
    assert tree["README"] == (LINK, b"docs/x.md")
    assert tree["docs/up"] == (LINK, b"../README")


def test_a_hard_link_is_a_copy() -> None:
    data = tar(("p/a", b"x", {}), ("p/b", None, {"type": tarfile.LNKTYPE, "linkname": "p/a"}))
    assert archives.unpack(data, "p.tar.gz")["b"] == (0o644, b"x")


@pytest.mark.parametrize(
    "members",
    [
        [("/etc/passwd", b"x", {})],
        [("p/../../x", b"x", {})],
        [link("p/a", "/etc/passwd"), ("p/b", b"", {})],
        [link("p/a", "../../etc"), ("p/b", b"", {})],
        [link("p/d", "."), link("p/e", "d/../../x"), ("p/b", b"", {})],
        [link("p/d", "sub"), link("p/e", "d/../x"), ("p/sub/f", b"", {})],
        [link("p/d", "sub"), ("p/d/x", b"through a link", {}), ("p/sub/f", b"", {})],
        [("p/a", b"x", {}), ("p/a/b", b"below a file", {})],
        [("p/dev", None, {"type": tarfile.CHRTYPE})],
        [("p/pipe", None, {"type": tarfile.FIFOTYPE})],
        [("p/h", None, {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"})],
        [("p/h", None, {"type": tarfile.LNKTYPE, "linkname": "p/nothing"})],
    ],
)
def test_what_leads_out_is_refused(members: list[tuple[str, bytes | None, dict[str, object]]]) -> None:
    with pytest.raises(ProfileError):
        archives.unpack(tar(*members), "p.tar.gz")


def test_folders_of_git_are_left_out() -> None:
    data = tar(("p/a", b"x", {}), ("p/.git/hooks/post-checkout", b"evil", {}), ("p/sub/.git", b"gitdir: /", {}))
    assert list(archives.unpack(data, "p.tar.gz")) == ["a"]


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    with pytest.raises(ProfileError, match="more than"):
        archives.unpack(tar(("p/zeros", bytes(5000), {})), "p.tar.gz")


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    with pytest.raises(ProfileError, match="more than"):
        archives.unpack(tar(*((f"p/{n}", b"", {}) for n in range(4))), "p.tar.gz")


@pytest.mark.parametrize(
    "data", [b"", b"not an archive", tar(("p/a", b"x" * 5000, {}))[:60]], ids=["empty", "text", "torn"]
)
def test_what_is_no_archive_is_said_so(data: bytes) -> None:
    with pytest.raises(ProfileError, match=r"p\.tar\.gz"):
        archives.unpack(data, "p.tar.gz")


def test_zip_archives_are_read_alike() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("p-1/a.py", "x")
    assert archives.unpack(out.getvalue(), "p-1.zip") == {"a.py": (0o644, b"x")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../a.py", "x")
    with pytest.raises(ProfileError):
        archives.unpack(out.getvalue(), "p-1.zip")
