"""The parts of a sandbox's root file system that are not the host's: a small `/etc` of its own.

The host's `/etc` is never shown: it holds names, addresses and keys of the host. What is made here depends on the
host's library cache, alternatives and name servers only; equal content shares one folder in the state folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from swesmith_gym.home import home
from swesmith_gym.records import content_id

HOST_NAME = "sandbox"
USER = "agent"
HOME = "/home/agent"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where the certificate bundle appears inside when the network is on."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_FIXED = {
    "passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\n{USER}:x:1000:1000:{USER}:{HOME}:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    "group": f"root:x:0:\n{USER}:x:1000:\nnogroup:x:65534:\n",
    "hosts": f"127.0.0.1 localhost {HOST_NAME}\n::1 localhost ip6-localhost\n",
    "hostname": f"{HOST_NAME}\n",
    "host.conf": "multi on\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "shells": "/bin/sh\n/bin/bash\n",
}
_COPIED = ("ld.so.cache", "services", "protocols", "mime.types", "debian_version", "os-release")


def ca_bundle() -> Path | None:
    """The host's certificate bundle: `$SSL_CERT_FILE`, else the usual places."""
    for name in (os.environ.get("SSL_CERT_FILE", ""), *_BUNDLES):
        if name and Path(name).is_file():
            return Path(name)
    return None


def etc_folder(network: bool) -> Path:
    """The folder to show as `/etc`, made when it is not there yet; decided once per process. Raises: OSError."""
    return _etc_folder(network, home())


@cache
def _etc_folder(network: bool, state: Path) -> Path:
    files: dict[str, bytes] = {name: text.encode() for name, text in _FIXED.items()}
    for name in _COPIED:
        files |= _host_file(f"/etc/{name}", name)
    if network:
        files |= _host_file("/etc/resolv.conf", "resolv.conf")
        bundle = ca_bundle()
        if bundle:
            files[CA_BUNDLE.removeprefix("/etc/")] = bundle.read_bytes()
    links = _alternatives()
    folder = state / "rootfs" / f"etc-{content_id(files, links)[:16]}"
    if not folder.is_dir():
        _make(folder, files, links)
    return folder


def _host_file(path: str, name: str) -> dict[str, bytes]:
    try:
        return {name: Path(path).read_bytes()}
    except OSError:
        return {}


def _alternatives() -> dict[str, str]:
    folder = Path("/etc/alternatives")
    if not folder.is_dir():
        return {}
    return {entry.name: os.readlink(entry) for entry in os.scandir(folder) if entry.is_symlink()}


def _make(folder: Path, files: dict[str, bytes], links: dict[str, str]) -> None:
    """Fill a sibling and rename it: another process may do the same at the same time, with the same content."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".etc-", dir=folder.parent))
    for name, content in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (fresh / "alternatives").mkdir()
    for name, target in links.items():
        (fresh / "alternatives" / name).symlink_to(target)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    try:
        fresh.rename(folder)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)


def system_mounts() -> tuple[list[str], dict[str, str]]:
    """Host folders shown read-only in their places, and the links beside them, as the host has them."""
    folders, links = ["/usr"], {}
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        path = Path(name)
        if path.is_symlink():
            links[name] = os.readlink(path)
        elif path.is_dir():
            folders.append(name)
    return folders, links
