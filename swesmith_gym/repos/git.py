"""One commit of a git repository as a folder, fetched so that nothing of the repository or the user's set-up runs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from swesmith_gym.errors import ProfileError
from swesmith_gym.repos.index import bare

TIMEOUT_S = 600
_SCHEMES = ("https://", "http://", "git://", "ssh://", "file://")
_OFF = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=true",
    "core.autocrlf=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "safe.directory=*",
    "init.defaultBranch=main",
)
_PASSED_ON = (
    "PATH",
    "HOME",
    "SSH_AUTH_SOCK",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "https_proxy",
)


def is_address(text: str) -> bool:
    """`text` reads as the address of a git repository."""
    plain = text.removeprefix("git+")
    return plain.startswith(_SCHEMES) or bool(re.match(r"[\w.-]+@[\w.-]+:", plain))


def split(source: str) -> tuple[str, str]:
    """Address and ref of `git+URL@REF` or `URL@REF`; no ref: an empty one."""
    url = source.removeprefix("git+")
    start = max(url.find("://") + 3, url.rfind(":")) if "://" in url else url.find(":")
    path_at = url.find("/", start) if "://" in url else start
    at = url.rfind("@")
    if at > path_at >= 0:
        return url[:at], url[at + 1 :]
    return url, ""


def checkout(url: str, ref: str, folder: Path, *, ca: Path | None = None) -> tuple[str, str]:
    """Check one commit out into the empty `folder`. Gives its 40 hex digits and the version in the nearest tag.

    Raises: ProfileError (git is missing, the repository or the ref does not exist, no access).
    """
    fetch(folder, url, ca=ca)
    wanted = commit(folder, url, ref, ca=ca)

    def git(*args: str, check: bool = True) -> str:
        return _git(folder, args, ca=ca, url=url, check=check)

    git("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", "--detach", wanted)
    tag = git("describe", "--tags", "--abbrev=0", check=False).strip()
    version = re.search(r"\d+(\.\d+)*([abrc.]+\w*)*$", tag)
    return wanted, version.group(0) if version else ""


def fetch(folder: Path, url: str, *, ca: Path | None = None, bare_repository: bool = False) -> None:
    """Make the empty `folder` a repository with all branches and tags of `url`. Raises: as `checkout`."""
    if not is_address(url):
        raise ProfileError(f"not a git address: {bare(url)!r}", step="fetch")
    _git(folder, ("init", "--quiet", *(["--bare"] if bare_repository else [])), ca=ca, url=url)
    wanted = ("HEAD", "+refs/heads/*:refs/fetched/*")
    _git(folder, ("fetch", "--quiet", "--tags", "--no-recurse-submodules", url, *wanted), ca=ca, url=url)


def commit(folder: Path, url: str, ref: str, *, ca: Path | None = None) -> str:
    """The 40 hex digits of a tag, a branch or a commit of what `fetch` got; empty `ref`: of its head.

    Raises: ProfileError (there is none).
    """
    for name in (f"refs/tags/{ref}", f"refs/fetched/{ref}", ref) if ref else ("FETCH_HEAD",):
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if not ref.startswith("-") and (found := _git(folder, asked, ca=ca, url=url, check=False).strip()):
            return found
    if re.fullmatch("[0-9a-f]{40}", ref):
        _git(folder, ("fetch", "--quiet", "--no-recurse-submodules", url, ref), ca=ca, url=url)
        return ref
    raise ProfileError(f"{bare(url)} has no branch, tag or commit {ref!r}", step="fetch")


def _git(folder: Path, args: tuple[str, ...], *, ca: Path | None, url: str, check: bool = True) -> str:
    done = run(folder, args, ca=ca, url=url)
    if check and done.returncode:
        raise failure(done, url)
    return done.stdout.decode(errors="replace")


def failure(done: subprocess.CompletedProcess[bytes], url: str) -> ProfileError:
    """What to raise of a call that failed; `url` as git was given it."""
    log = done.stderr.decode(errors="replace").strip().replace(url, bare(url))
    last = log.splitlines()[-1] if log else f"exit code {done.returncode}"
    return ProfileError(f"git cannot fetch {bare(url)}: {last}", step="fetch", log=log)


def run(
    folder: Path, args: Sequence[str], *, ca: Path | None = None, url: str = "", stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """One call of git in `folder`: without hooks, the user's configuration, or a repository above the folder.

    Raises: ProfileError (git is missing, or took too long). What the exit code means is the caller's business.
    """
    config = [part for each in _OFF for part in ("-c", each)]
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }
    if ca is not None:
        env["GIT_SSL_CAINFO"] = str(ca)
    try:
        return subprocess.run(
            ["git", *config, *args],
            cwd=folder,
            env=env,
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise ProfileError(
            "git is not installed on this host: install it, or use a pypi: source", step="fetch"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ProfileError(f"git {args[0]} of {bare(url)} took longer than {TIMEOUT_S} s", step="fetch") from error
