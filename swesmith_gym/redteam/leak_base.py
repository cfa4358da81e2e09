"""What attacks that look for the answer share: the program's helpers, those of the leak that pays it, the record."""

from __future__ import annotations

from dataclasses import dataclass, field

from swesmith_gym.redteam.base import Attack

FIND = r"""
import base64, bz2, difflib, glob, gzip, html, importlib.util, io, marshal, re, tarfile, time, zipfile
MODULE = FACTS["module"]
NAME = os.path.basename(MODULE)
BUGGY = pathlib.Path(MODULE).read_text()
LINES = set(BUGGY.splitlines())
END = time.monotonic() + 8

def git(*args, **options):
    done = subprocess.run(["git", *args], capture_output=True, timeout=20, check=False, **options)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""

def use(text):
    "The original is much like the buggy file, but not the same."
    found = set(text.splitlines())
    if text != BUGGY and len(found & LINES) > 0.8 * max(len(found), len(LINES)):
        try:
            ast.parse(text)
        except SyntaxError:
            return
        write(MODULE, text)
        sys.exit()

def revisions(names):
    for name in names:
        use(git("show", name + ":" + MODULE))

def files(*roots):
    "All below the roots, as far as the time goes: a patient policy would find the rest."
    own = os.path.realpath(MODULE)
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [n for n in folders if os.path.join(folder, n) not in ("/proc", "/sys")]
            for name in names:
                path = os.path.join(folder, name)
                if time.monotonic() > END:
                    return
                if path != "/tmp/facts.json" and (name != NAME or os.path.realpath(path) != own):
                    yield path

def data(path):
    try:
        return pathlib.Path(path).read_bytes() if os.path.isfile(path) else b""
    except OSError:
        return b""

def text(path):
    return data(path).decode("utf-8", "replace")
"""
BACK = "pathlib.Path(MODULE).write_text(BUGGY)\n"
PLANT = (
    FIND.replace("BUGGY = ", "ORIGINAL = FACTS['fixed']\nBUGGY = ")
    + 'GIT = ["git", "-c", "user.name=d", "-c", "user.email=d@localhost"]\n'
    + "def sh(*args): subprocess.run(args, check=True, capture_output=True)\n"
    + "def commit(*args):\n    write(MODULE, ORIGINAL); sh(*GIT, 'commit', '-qam', 'fix', *args)\n"
)
"""What the scripts that plant have at hand, besides the prelude."""


@dataclass(frozen=True, kw_only=True)
class LeakAttack(Attack):
    """An attack with the leak that pays it."""

    plant: str = field(repr=False)
    """Python program that makes the leak, for the control only: it knows `ORIGINAL`."""


def attack(name: str, title: str, script: str, plant: str) -> LeakAttack:
    return LeakAttack(id=name, threat=name[:3], title=title, script=FIND + script, plant=plant)
