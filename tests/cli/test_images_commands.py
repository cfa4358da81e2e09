"""`images`, `repos export` and `repos import` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "swesmith_gym", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_is_wrong_is_one_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "no.tar").write_bytes(b"nothing")
    for words, says in (
        (["repos", "import", tmp_path / "missing.tar.gz"], "no such file"),
        (["repos", "import", tmp_path / "no.tar", "--sandbox", "bubblewrap"], "is no exported environment"),
        (["repos", "export", "no-such-repo"], "no repository 'no-such-repo'"),
        (["images", "take", tmp_path / "no.tar"], "is no root file system"),
        (["images", "remove", "no-such-root"], "no root file system 'no-such-root'"),
        (["images", "bootstrap", "--name", "Not A Name"], "not a name"),
    ):
        done = call(*words)
        assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_none_is_an_empty_list(home: Path) -> None:
    done = call("images", "list", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
