"""Sources: an index over HTTP, git repositories and folders, each identified by a hash."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError, ProfileError
from swesmith_gym.repos import git, sources


def sdist(name: str, files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@dataclass
class Index:
    """A package index on this host."""

    url: str = ""
    as_json: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """File name -> the hash that the index claims."""

    def page(self) -> tuple[str, bytes]:
        if self.as_json:
            listed = [{"filename": f, "url": f"/files/{f}", "hashes": {"sha256": self.said[f]}} for f in self.files]
            return "application/vnd.pypi.simple.v1+json", json.dumps({"files": listed}).encode()
        links = "".join(f'<a href="/files/{f}#sha256={self.said[f]}">{f}</a>' for f in self.files)
        return "text/html", f"<html><body>{links}</body></html>".encode()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    monkeypatch.setenv("SWESMITH_GYM_HOME", str(tmp_path / "home"))
    found = Index()
    data = sdist("my_pkg-1.0", {"a.py": "x = 1\n"})
    found.files["my_pkg-1.0.tar.gz"] = data
    found.said["my_pkg-1.0.tar.gz"] = hashlib.sha256(data).hexdigest()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body, code = "text/plain", b"", 404
            if self.path == "/simple/my-pkg/":
                (kind, body), code = found.page(), 200
            elif self.path.startswith("/files/"):
                kind, body, code = "application/gzip", found.files[self.path.removeprefix("/files/")], 200
            self.send_response(code)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/simple"
    yield found
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("as_json", [True, False])
def test_an_sdist_comes_from_either_kind_of_index(index: Index, as_json: bool) -> None:
    index.as_json = as_json
    found = sources.fetch("pypi:My.Pkg==1.0", index_url=index.url)
    assert dict(found.tree) == {"a.py": (0o644, b"x = 1\n")}
    assert found.source_hash == index.said["my_pkg-1.0.tar.gz"]
    assert (found.source, found.version) == ("pypi:My.Pkg==1.0", "1.0")


def test_a_pinned_download_is_not_fetched_twice(index: Index) -> None:
    found = sources.fetch("pypi:my-pkg==1.0", index_url=index.url)
    index.files.clear()
    again = sources.fetch("pypi:my-pkg==1.0", index_url=index.url, expected=found.source_hash)
    assert again.tree == found.tree


@pytest.mark.parametrize("whose", ["the index", "the profile"])
def test_a_wrong_hash_is_an_error(index: Index, whose: str) -> None:
    if whose == "the index":
        index.said["my_pkg-1.0.tar.gz"] = "0" * 64
    expected = "1" * 64 if whose == "the profile" else ""
    with pytest.raises(ProfileError, match=f"SHA-256.*{whose}"):
        sources.fetch("pypi:my-pkg==1.0", index_url=index.url, expected=expected)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("pypi:my-pkg==2.0", r"my-pkg 2\.0 is not on the index; .*1\.0"),
        ("pypi:other==1.0", "no package 'other'"),
    ],
)
def test_what_is_not_on_the_index_is_said_so(index: Index, source: str, said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        sources.fetch(source, index_url=index.url)


def test_a_release_of_wheels_only_is_said_so(index: Index) -> None:
    index.files["my_pkg-3.0-py3-none-any.whl"] = b""
    index.said["my_pkg-3.0-py3-none-any.whl"] = ""
    with pytest.raises(ProfileError, match="has wheels but no sdist"):
        sources.fetch("pypi:my-pkg==3.0", index_url=index.url)


def test_an_unreachable_index_is_said_so(index: Index) -> None:
    with pytest.raises(ProfileError, match=r"cannot reach http://127\.0\.0\.1:1/simple/my-pkg/.*--index-url"):
        sources.fetch("pypi:my-pkg==1.0", index_url="http://user:secret@127.0.0.1:1/simple")


@pytest.mark.parametrize("source", ["pypi:x", "nowhere", "pypi:x>=1"])
def test_what_is_no_source_is_bad_input(source: str) -> None:
    with pytest.raises(InputError):
        sources.fetch(source)


def test_a_folder_is_identified_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "p/__pycache__").mkdir(parents=True)
    (tmp_path / "p/.venv").mkdir()
    (tmp_path / "p/.venv/pyvenv.cfg").write_text("")
    (tmp_path / "p/a.py").write_text("x")
    (tmp_path / "p/__pycache__/a.pyc").write_text("x")
    first = sources.fetch(str(tmp_path / "p"))
    assert list(first.tree) == ["a.py"]
    (tmp_path / "p/a.py").write_text("y")
    second = sources.fetch(first.source)
    assert second.source_hash != first.source_hash
    with pytest.raises(ProfileError, match="has changed"):
        sources.fetch(first.source, expected=first.source_hash)


def test_a_folder_with_a_link_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a").symlink_to("/etc/passwd")
    with pytest.raises(ProfileError, match="leads out"):
        sources.fetch(str(tmp_path / "p"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "proj"
    folder.mkdir()

    def run(*args: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=trunk"]
        subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)

    run("init", "--quiet")
    (folder / ".gitattributes").write_text("*.py filter=evil\n")
    (folder / "a.py").write_text("x = 1\n")
    run("add", ".")
    run("commit", "--quiet", "-m", "one")
    run("tag", "v1.2.3")
    (folder / "a.py").write_text("x = 2\n")
    run("commit", "--quiet", "-am", "two")
    return folder


@pytest.mark.parametrize(("ref", "content"), [("@v1.2.3", b"x = 1\n"), ("@trunk", b"x = 2\n"), ("", b"x = 2\n")])
def test_a_commit_by_tag_by_branch_and_by_default(repository: Path, ref: str, content: bytes) -> None:
    found = sources.fetch(f"git+file://{repository}{ref}")
    assert found.tree["a.py"] == (0o644, content)
    assert ".git" not in {path.split("/")[0] for path in found.tree}
    assert found.source.endswith(f"@{found.source_hash}")
    assert (found.name, found.version) == ("proj", "1.2.3")
    assert sources.fetch(found.source, expected=found.source_hash).tree == found.tree


def test_the_users_git_set_up_does_not_run(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text(
        f'[filter "evil"]\n\tsmudge = touch {tmp_path}/ran; cat\n[core]\n\thooksPath = {tmp_path}/hooks\n'
    )
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tmp_path / "hooks/post-checkout").chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    sources.fetch(f"file://{repository}")
    assert not (tmp_path / "ran").exists()


def test_a_ref_that_is_not_there(repository: Path) -> None:
    with pytest.raises(ProfileError, match="no branch, tag or commit 'v9'"):
        sources.fetch(f"file://{repository}@v9")


@pytest.mark.parametrize(
    ("source", "url", "ref"),
    [
        ("https://host/a/b.git@v1", "https://host/a/b.git", "v1"),
        ("https://user@host/a/b", "https://user@host/a/b", ""),
        ("git+ssh://git@host/a/b@feature/x", "ssh://git@host/a/b", "feature/x"),
        ("git@host:a/b.git@v1", "git@host:a/b.git", "v1"),
    ],
)
def test_addresses_are_split_at_the_ref(source: str, url: str, ref: str) -> None:
    assert git.is_address(source)
    assert git.split(source) == (url, ref)
