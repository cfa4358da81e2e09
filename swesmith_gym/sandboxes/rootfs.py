"""The parts of a sandbox's root file system that are nobody's else: a small `/etc` of its own.

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
from swesmith_gym.sandboxes.base import Network

SYSTEM = Path("/")
"""The host's own root file system."""
HOST_NAME = "sandbox"
USER = "agent"
HOME = "/home/agent"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where the certificate bundle appears inside when the network is on."""

INDEX_SOCKET = "/run/package-index"
"""Where the socket of the proxy to the package index appears inside."""
INDEX_PORT = 61080
"""Of the loopback inside, where programs find that proxy: above the ports that a kernel hands out by itself."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
FIXED = {
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


def etc_folder(network: Network, system: Path = SYSTEM) -> Path:
    """The folder to show as `/etc` for a system, made when it is not there yet; decided once per process.

    Raises: OSError.
    """
    return _etc_folder(network, system, home())


@cache
def _etc_folder(network: Network, system: Path, state: Path) -> Path:
    files: dict[str, bytes] = {name: text.encode() for name, text in FIXED.items()}
    for name in _COPIED:
        files |= _file_of(system / "etc" / name, name)
    if network == "full":
        files |= _file_of(Path("/etc/resolv.conf"), "resolv.conf")
    if network != "none" and (bundle := ca_bundle()):
        files[CA_BUNDLE.removeprefix("/etc/")] = bundle.read_bytes()
    links = _alternatives(system)
    folder = state / "rootfs" / f"etc-{content_id(files, links)[:16]}"
    if not folder.is_dir():
        _make(folder, files, links)
    return folder


def _file_of(path: Path, name: str) -> dict[str, bytes]:
    try:
        return {name: path.read_bytes()}
    except OSError:
        return {}


def _alternatives(system: Path) -> dict[str, str]:
    folder = system / "etc" / "alternatives"
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


def system_mounts(system: Path = SYSTEM) -> tuple[list[str], dict[str, str]]:
    """Folders of a system that are shown read-only in their places, and the links beside them."""
    folders, links = ["/usr"], {}
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        path = system / name.removeprefix("/")
        if path.is_symlink():
            links[name] = os.readlink(path)
        elif path.is_dir():
            folders.append(name)
    return folders, links
