"""Group F: what lies in the way of reading, writing and listing files."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from swesmith_gym.records import FileChange
from swesmith_gym.sandboxes.conformance.case import Act, Case
from swesmith_gym.sandboxes.conformance.places import KEPT, Place, in_places
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, demand, python, shown

_LINK = 0o120000
_BINARY = bytes(range(256)) * 512 + b"\r\n\0"
_DEEP = python(
    "import os\nfor _ in range(30):\n  os.mkdir('d' * 199)\n  os.chdir('d' * 199)\nopen('end', 'w').write('deep')"
)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _unharmed(place: Place) -> None:
    demand(place.read("keep") == KEPT, "the file beside it was changed")


def _missing(place: Place) -> None:
    place.no_read("none", FileNotFoundError)
    place.no_read("none/none", FileNotFoundError)
    place.no_read("keep/none", NotADirectoryError, FileNotFoundError)
    place.apply(FileChange("none", None), FileChange("no/such", None))
    place.apply(FileChange("new/folder/file", b"new\n", 0o755))
    place.make("test -x new/folder/file")
    place.holds("new/folder/file", b"new\n")
    _unharmed(place)


def _directory(place: Place) -> None:
    place.make("mkdir sub; echo inner > sub/file")
    place.no_read("sub", IsADirectoryError)
    place.no_apply("sub", "apply writes over a folder that holds files")
    place.holds("sub/file", b"inner\n")


def _link_out(place: Place) -> None:
    """A link is replaced, never followed when it is written; read inside, where the host's files are not."""
    secret = place.trial.folder / "secret"
    secret.write_text("secret\n")
    secret.chmod(0o644)
    outside = place.do("echo ${TMPDIR:-/tmp}/outside").stdout.decode().strip()
    place.make(f"echo safe > {outside}; ln -s {outside} out; ln -s '{secret}' host; ln -s loop loop")
    found = place.manifest()
    demand((found["out"].mode, found["out"].sha256) == (_LINK, _sha(outside.encode())), "a link is not listed as one")
    demand(place.link("out") == outside, "read_link gives another target")
    place.no_read("loop")
    if place.trial.capabilities.process_isolation:
        place.no_read("host")
    place.apply(FileChange("out", b"changed\n"), FileChange("host", b"changed\n"), FileChange("new", b"keep", _LINK))
    place.holds(outside, b"safe\n")
    place.holds("out", b"changed\n")
    place.holds("new", KEPT)
    demand(secret.read_text() == "secret\n", "apply followed a link to a file of the host")


def _fifo(place: Place) -> None:
    place.make("mkfifo odd")
    place.no_read("odd")
    error = place.no_manifest("the manifest passes over a pipe")
    demand(str(error).startswith("odd"), f"the manifest's error does not begin with the path: {error}")
    place.apply(FileChange("odd", b"plain\n"))
    place.holds("odd", b"plain\n")
    demand(set(place.manifest()) == {"keep", "odd"}, "a pipe that was replaced is still in the way")


def _device(place: Place) -> None:
    place.make("ln -s /dev/zero odd")
    place.no_read("odd")
    for path in ("/dev/zero", "/dev/null"):
        place.no_read(path)
    demand(place.manifest()["odd"].sha256 == _sha(b"/dev/zero"), "a link to a device is not listed as a link")
    place.apply(FileChange("odd", b"plain\n"))
    place.holds("odd", b"plain\n")
    place.make("test -c /dev/zero && head -c 1 /dev/zero > /dev/null")


def _sparse(place: Place) -> None:
    """A file that is larger than any limit and takes no room: not made, or not read."""
    result = place.do("truncate -s 1T sparse")
    demand(result.exit_code is not None and not result.timed_out, f"{place.way}: no end, but {shown(result)}")
    if place.do("test -s sparse").exit_code == 0:
        place.no_read("sparse", limit=64 << 20)
        place.no_manifest("the manifest reads 1 TiB")
    place.make("rm -f sparse; truncate -s 16M small")
    place.no_read("small", limit=1 << 20)
    demand(place.manifest()["small"].size == 16 << 20, "a sparse file is listed with another size")


def _long_path(place: Place) -> None:
    place.trial.needs_python()
    folders = "/".join(["d" * 199] * 20)
    fits = f"{folders}/"[: 4095 - len(f"/testbed/{place.path('')}") - 1].rstrip("/") + "f"
    place.apply(FileChange(fits, b"long\n"))
    demand(place.read(fits) == b"long\n", "a file below a path of 4,095 characters holds something else")
    demand(fits in place.manifest(), "a file below a path of 4,095 characters is not listed")
    for path in (f"{folders}/{'f' * 199}", "f" * 256):
        place.no_read(path)
        place.no_apply(path, f"apply writes a path of {len(path)} characters")
    place.make("rm -rf d*")
    place.make(_DEEP)
    try:
        listed = any(name.endswith("/end") for name in place.manifest())
    except OSError:
        listed = True  # said, and so not overlooked
    demand(listed, "the manifest overlooks a file below a path of 6,000 characters")


def _odd_name(name: str, quoted: str) -> Act:
    """Made by a command and by `apply`; listed, read and deleted under the same name."""

    def act(place: Place) -> None:
        place.make(f"echo odd > {quoted}; mkdir {quoted}.d; echo two > {quoted}.d/{quoted}")
        found = place.manifest()
        demand(set(found) == {"keep", name, f"{name}.d/{name}"}, f"listed as {sorted(found)!r}")
        demand(place.read(name) == b"odd\n", "read_file gives another file")
        place.apply(FileChange(name, b"changed\n"), FileChange(f"{name}2", b"3\n"))
        place.apply(FileChange(f"{name}.d/{name}", None))
        place.make(f'test "$(cat {quoted})" = changed && test ! -e {quoted}.d/{quoted} && test "$(cat {quoted}2)" = 3')

    return in_places(act)


def _case(place: Place) -> None:
    place.apply(FileChange("Name", b"1\n"), FileChange("name", b"2\n"), FileChange("NAME/file", b"3\n"))
    demand(set(place.manifest()) == {"keep", "Name", "name", "NAME/file"}, "names that differ in case are one")
    place.make("cat Name name NAME/file | tr -d '\\n' | grep -qx 123")
    place.apply(FileChange("name", None))
    demand(place.read("Name") == b"1\n", "deleting one took the other")


def _mode_000(place: Place) -> None:
    place.make("mkdir -p a/b; echo x > a/b/c; echo y > d; echo z > e; chmod 000 a/b/c a/b a d e")
    place.apply(FileChange("e", b"changed\n"))
    with suppress(PermissionError):  # as the contract has it; who runs as root inside may read it
        demand(place.read("d") == b"y\n", "read_file gives something else")
    demand({"a/b/c", "d", "e", "keep"} == set(place.manifest()), "a closed file or folder hides from the manifest")
    demand(place.read("e") == b"changed\n", "a closed file cannot be replaced")


def _read_only(place: Place) -> None:
    place.make("mkdir closed; echo old > closed/file; echo old > closed/gone; chmod 500 closed")
    place.apply(
        FileChange("closed/file", b"new\n"), FileChange("closed/more", b"more\n"), FileChange("closed/gone", None)
    )
    place.make("cat closed/* | tr '\\n' , | grep -qx new,more,")
    _unharmed(place)


def _binary(place: Place) -> None:
    place.apply(FileChange("data", _BINARY), FileChange("empty", b""), FileChange("program", _BINARY, 0o755))
    demand(place.read("data") == _BINARY, "read_file gives other bytes")
    found = place.manifest()
    for name, data, mode in (("data", _BINARY, 0o644), ("empty", b"", 0o644), ("program", _BINARY, 0o755)):
        wanted = (mode, len(data), _sha(data))
        demand((found[name].mode, found[name].size, found[name].sha256) == wanted, f"{name} is listed as {found[name]}")
    result = place.do("sha256sum < data")
    demand(result.stdout.startswith(_sha(_BINARY).encode()), f"a command finds other bytes: {shown(result)}")


def _empty(trial: Trial) -> None:
    before = dict(trial.call(lambda sandbox: sandbox.manifest()))
    for way in WAYS:
        trial.call(lambda sandbox: sandbox.apply(()))
        trial.goes_on(way)
        demand(dict(trial.call(lambda sandbox: sandbox.manifest())) == before, "an empty change changes something")


def _over_cap(place: Place) -> None:
    """At the cap it works, one beyond is refused; nothing is given out in part."""
    place.make("touch $(seq 99); head -c 1000 /dev/zero > keep")
    demand(len(place.manifest(max_files=100)) == 100, "100 files are not listed with room for 100")
    place.no_manifest("the manifest lists more files than it may", max_files=99)
    demand(len(place.read("keep", limit=1000)) == 1000, "1000 bytes are not read with a limit of 1000")
    place.no_read("keep", limit=999)


def _upwards(place: Place) -> None:
    place.make("mkdir -p sub")
    for path in ("../up", "sub/../../up", "sub/../up", "..", "sub/..", "/tmp/../tmp/up"):
        place.no_apply(path, f"apply takes the path {path}")
    place.make("test ! -e ../up && test ! -e up && test ! -e ../../up && test ! -e /tmp/up")
    _unharmed(place)


def _into_git(place: Place) -> None:
    """A repository's own folder is no part of the tree's content, and nothing that lists or writes harms it."""
    place.make("mkdir -p .git/objects; echo ref > .git/HEAD; echo pack > .git/objects/pack; chmod 400 .git/HEAD")
    demand(set(place.manifest()) == {"keep"}, "the content of .git is listed")
    place.apply(FileChange("keep", b"changed\n"), FileChange(".gitignore", b"*.o\n"))
    place.apply(FileChange(".git/hooks/pre-commit", b"#!/bin/sh\n", 0o755))
    demand(set(place.manifest()) == {"keep", ".gitignore"}, "the content of .git is listed")
    place.make('test "$(cat .git/HEAD .git/objects/pack | tr -d "\\n")" = refpack && test -d .git/hooks')


def _submodule(place: Place) -> None:
    """`.git` folders are left out at any depth; a submodule's `.git` is a file, and listed as every file is."""
    place.make("mkdir -p lib/.git sub; echo ref > lib/.git/HEAD; echo x > lib/code; echo y > sub/code")
    place.make("echo 'gitdir: ../.git/modules/sub' > sub/.git; echo '[submodule]' > .gitmodules")
    wanted = {"keep", "lib/code", "sub/code", "sub/.git", ".gitmodules"}
    demand(set(place.manifest()) == wanted, f"listed are {sorted(place.manifest())}")
    place.holds("lib/.git/HEAD", b"ref\n")


CASES = (
    Case("F01", "F", "edit missing file", in_places(_missing)),
    Case("F02", "F", "directory", in_places(_directory)),
    Case("F03", "F", "symlink out", in_places(_link_out)),
    Case("F04", "F", "FIFO", in_places(_fifo)),
    Case("F05", "F", "device", in_places(_device)),
    Case("F06", "F", "sparse 1 TiB", in_places(_sparse)),
    Case("F07", "F", "4,096-char path", in_places(_long_path)),
    Case("F08", "F", "name with newline", _odd_name("two\nlines ", "$'two\\nlines '")),
    Case("F09", "F", "non-UTF-8 name", _odd_name("odd\udcff\udc80", "$'odd\\xff\\x80'")),
    Case("F10", "F", "case collision", in_places(_case)),
    Case("F11", "F", "mode 000", in_places(_mode_000)),
    Case("F12", "F", "read-only dir", in_places(_read_only)),
    Case("F13", "F", "binary patch", in_places(_binary)),
    Case("F14", "F", "empty patch", _empty),
    Case("F15", "F", "patch over cap", in_places(_over_cap)),
    Case("F16", "F", "patch with `..`", in_places(_upwards)),
    Case("F17", "F", "patch into `.git`", in_places(_into_git)),
    Case("F18", "F", "submodule entry", in_places(_submodule)),
)
