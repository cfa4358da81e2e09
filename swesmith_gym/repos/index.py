"""The package index, as far as a source archive needs it: find one release's sdist and download it, checked by hash.

Speaks the simple repository API (PEP 503 pages and PEP 691 JSON), so that any index or mirror will do.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from swesmith_gym.errors import ProfileError

DEFAULT = "https://pypi.org/simple"
MAX_DOWNLOAD = 256 << 20
_TIMEOUT_S = 60
_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
HOSTS_VARIABLE = "SWESMITH_GYM_INDEX_HOSTS"
"""Names hosts that an index's files are on, where that is another one than its own: `HOST[:PORT],...`."""
_FILE_HOSTS = {"pypi.org": ("files.pythonhosted.org:443",)}
_HOST = re.compile(r"((?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


@dataclass(frozen=True, slots=True)
class Sdist:
    """A source archive on an index."""

    filename: str
    url: str
    sha256: str
    """As the index gives it; empty where it gives none."""


def index_url(configured: str | None = None) -> str:
    """The index to use: `configured`, else $UV_DEFAULT_INDEX, $UV_INDEX_URL or $PIP_INDEX_URL, else PyPI.

    Raises: ProfileError (not an address).
    """
    for url in (configured, *(os.environ.get(name) for name in _VARIABLES)):
        if url:
            return _checked(url.rstrip("/"))
    return DEFAULT


def _checked(url: str) -> str:
    try:
        known = urllib.parse.urlsplit(url).scheme in ("http", "https", "file") and " " not in url
    except ValueError:
        known = False
    if not known:
        shown = url.rpartition("@")[2]
        raise ProfileError(f"not an address of an index: {shown!r}; see --index-url", step="fetch")
    return url


def hosts(index_url: str) -> tuple[str, ...]:
    """`HOST:PORT` of all that installs from an index reach: the index, the host of its files where that is known, and
    what $SWESMITH_GYM_INDEX_HOSTS adds. A `file:` index has none of its own. Raises: ProfileError.
    """
    parts = urllib.parse.urlsplit(_checked(index_url))
    found: list[str] = []
    if parts.scheme != "file":
        found.append(_host(parts.netloc.rpartition("@")[2], parts.scheme, "the host of an index"))
        found += _FILE_HOSTS.get(parts.hostname or "", ())
    named = [entry.strip() for entry in os.environ.get(HOSTS_VARIABLE, "").split(",")]
    found += [_host(entry, "https", f"HOST[:PORT] in ${HOSTS_VARIABLE}") for entry in named if entry]
    return tuple(dict.fromkeys(found))


def _host(text: str, scheme: str, what: str) -> str:
    """`HOST:PORT` in small letters."""
    found = _HOST.fullmatch(text.lower())
    port = int(found[2] or {"http": 80, "https": 443}[scheme]) if found else 0
    if found is None or not 0 < port < 65536:
        raise ProfileError(f"not {what}: {text!r}", step="fetch")
    return f"{found[1]}:{port}"


def ca_file(configured: Path | None = None) -> Path | None:
    """A file of certificate authorities: `configured`, else what the environment or the system names."""
    if configured is not None:
        if not configured.is_file():
            raise ProfileError(f"no such certificate file: {configured}", step="fetch")
        return configured
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
    default = ssl.get_default_verify_paths().cafile
    for each in (*(os.environ.get(name) for name in names), default):
        if each and Path(each).is_file():
            return Path(each)
    return None


def find_sdist(name: str, version: str, *, index: str, ca: Path | None) -> Sdist:
    """The sdist of one release. Raises: ProfileError (no such package or version, or no sdist of it)."""
    page = f"{index}/{_normal(name)}/"
    body, kind, url = _get(page, ca, missing=f"no package {name!r} on {_shown(index)}")
    files = _json_files(body) if "json" in kind else _html_files(body)
    sdists = {_version(f, name): (f, u, h) for f, u, h in files if f.endswith(_SUFFIXES)}
    found = sdists.get(_same(version))
    if found is None:
        wheel = any(f.endswith(".whl") and _same(f.split("-")[1]) == _same(version) for f, _, _ in files if "-" in f)
        known = ", ".join(sorted({v for v in sdists if v}, key=_sortable)[-5:]) or "none"
        why = "has wheels but no sdist" if wheel else "is not on the index"
        raise ProfileError(f"{name} {version} {why}; versions with an sdist: ... {known}", step="fetch")
    filename, link, sha256 = found
    return Sdist(filename, _with_login(urllib.parse.urljoin(url, link), index), sha256)


def download(sdist: Sdist, *, ca: Path | None, expected: str = "") -> bytes:
    """The archive's bytes, checked against the index's SHA-256 and against `expected` (a profile's pin).

    Raises: ProfileError.
    """
    body, _, _ = _get(sdist.url, ca, missing=f"{sdist.filename} is gone from the index")
    found = hashlib.sha256(body).hexdigest()
    for wanted, whose in ((sdist.sha256, "the index"), (expected, "the profile")):
        if wanted and wanted != found:
            raise ProfileError(
                f"{sdist.filename} has SHA-256 {found[:16]}..., but {whose} says {wanted[:16]}...: not used",
                step="fetch",
            )
    return body


def _get(url: str, ca: Path | None, missing: str) -> tuple[bytes, str, str]:
    """Body, content type and final address of a page."""
    request = urllib.request.Request(bare(url), headers={"Accept": _ACCEPT, **_auth(url)})
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=context) as answer:
            body = answer.read(MAX_DOWNLOAD + 1)
            kind, final = answer.headers.get("content-type", ""), answer.url
    except urllib.error.HTTPError as error:
        raise ProfileError(missing if error.code == 404 else f"{_shown(url)}: {error}", step="fetch") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ProfileError(
            f"cannot reach {_shown(url)}: {error}; see --index-url and --ca-bundle", step="fetch"
        ) from error
    if len(body) > MAX_DOWNLOAD:
        raise ProfileError(f"{_shown(url)} is larger than {MAX_DOWNLOAD >> 20} MiB", step="fetch")
    return body, kind, final


def bare(url: str) -> str:
    """The address without a login. What is stored or shown never holds one."""
    if "://" not in url:
        return url
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]))


def _with_login(url: str, index: str) -> str:
    """`url` with the login of the index, where it is on the same host."""
    login, at, host = urllib.parse.urlsplit(index).netloc.rpartition("@")
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{login}@{host}")) if at and parts.netloc == host else url


def _shown(url: str) -> str:
    """The address without what may be a secret in it."""
    return bare(url).split("?")[0]


def _auth(url: str) -> dict[str, str]:
    import base64

    parts = urllib.parse.urlsplit(url)
    if "@" not in parts.netloc:
        return {}
    pair = urllib.parse.unquote(parts.netloc.rsplit("@", 1)[0])
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _json_files(body: bytes) -> list[tuple[str, str, str]]:
    try:
        listed = json.loads(body)["files"]
        return [(f["filename"], f["url"], f.get("hashes", {}).get("sha256", "")) for f in listed]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProfileError(f"the index gave an unreadable answer: {error!r}", step="fetch") from error


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.hrefs.append(href)


def _html_files(body: bytes) -> list[tuple[str, str, str]]:
    parser = _Links()
    parser.feed(body.decode(errors="replace"))
    files = []
    for href in parser.hrefs:
        link, _, fragment = href.partition("#")
        sha256 = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        files.append((urllib.parse.unquote(link.rsplit("/", 1)[-1]), link, sha256))
    return files


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(filename: str, name: str) -> str:
    """Version in the name of an sdist, normal form; empty where the file is another package's."""
    stem = filename
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    pattern = re.sub(r"[-_.]+", "[-_.]+", re.escape(_normal(name)).replace(r"\-", "-"))
    match = re.fullmatch(pattern + r"-(.+)", stem, re.IGNORECASE)
    return _same(match.group(1)) if match else ""


def _same(version: str) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def _sortable(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version))
