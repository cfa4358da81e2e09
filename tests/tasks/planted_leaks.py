"""Leaks to plant, each a Python program that runs in a sandbox: made from the catalogue of threats, not the scanner.

A program sees `ORIGINAL` and `BUGGY` (the changed file without and with the bug), `FUNCTION` (the changed function
of the first), `PATH` (its path), `PATCH` (the fix as a diff), `TEST_FILE`, `TESTS` (ids of the FAIL_TO_PASS tests),
`ID` and `OPERATOR` of the task, and `put(path, content)` and `sh(command)`.
"""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = r"""
import ast, base64, bz2, gzip, html, io, json, lzma, os, pathlib, py_compile, re, subprocess, sys, tarfile, zipfile

def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())

def sh(command):
    subprocess.run(["bash", "-ec", command], cwd="/testbed", check=True, stdout=subprocess.DEVNULL)

def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()

def tarred(name, content, mode="w"):
    out = io.BytesIO()
    data = content if isinstance(content, bytes) else content.encode()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()

def compiled(path, source=None, **options):
    put("/dev/shm/.source.py", source or ORIGINAL)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    py_compile.compile("/dev/shm/.source.py", cfile=path, doraise=True, **{"dfile": "numbers.py", **options})
    os.unlink("/dev/shm/.source.py")

GIT = "git -c user.name=developer -c user.email=developer@localhost "
"""


@dataclass(frozen=True)
class Plant:
    """One leak."""

    name: str
    leaks: frozenset[str]
    """Ids that a finding may bear: some leaks are of two kinds."""
    place: str
    """A finding's place begins with it, or holds it."""
    script: str
    alone: bool = False
    """Not in one sandbox with others."""
    image: bool = False
    """Put into the image, when it is built."""


def _many(leaks: str, scripts: dict[str, tuple[str, str]], **options: bool) -> list[Plant]:
    return [
        Plant(name, frozenset(leaks.split()), place, script, **options) for name, (place, script) in scripts.items()
    ]


_COMMIT_ORIGINAL = 'put("/testbed/" + PATH, ORIGINAL); sh(GIT + "commit -qam x"); '
_BACK = 'put("/testbed/" + PATH, BUGGY); '
HISTORY = [
    *_many(
        "L01 L03 L05",
        {
            "fix-commit-on-top": (".git", _COMMIT_ORIGINAL + _BACK),
            "empty-commit-on-top": (".git", 'sh(GIT + "commit -q --allow-empty -m x")'),
            "fix-then-bug": (".git", _COMMIT_ORIGINAL + _BACK + 'sh(GIT + "commit -qam bug")'),
            "history-amended": (".git", _COMMIT_ORIGINAL + _BACK + 'sh(GIT + "commit -qa --amend --allow-empty -m x")'),
            "second-root": (".git", 'sh("git checkout -q --orphan o; " + GIT + "commit -qm o; git checkout -q main")'),
        },
        alone=True,
    ),
    *_many(
        "L02 L06",
        {
            "branch": ("refs/heads/fix", 'sh("git branch fix")'),
            "tag": ("refs/tags/v2", 'sh("git tag v2")'),
            "annotated-tag": ("refs/tags/v3", 'sh(GIT + "tag -a v3 -m x")'),
            "remote-branch": ("refs/remotes/origin/main", 'sh("git update-ref refs/remotes/origin/main HEAD")'),
            "sibling-task": ("refs/heads/other", 'sh("git branch other__0123456789ab")'),
            "reflog": ("logs", 'put("/testbed/.git/logs/HEAD", "0" * 40 + " " + "1" * 40 + " a <a@b> 1 +0000\\tx\\n")'),
            "detached-head": ("HEAD", 'sh("git checkout -q --detach")'),
        },
        alone=True,
    ),
    *_many(
        "L03",
        {
            "dangling-blob": ("objects", 'put("/tmp/o", ORIGINAL); sh("git hash-object -w /tmp/o; rm /tmp/o")'),
            "dangling-tree": (
                "objects",
                'put("/testbed/" + PATH, ORIGINAL); sh("git add -A; git write-tree"); ' + _BACK + 'sh("git add -A")',
            ),
            "dangling-commit": ("objects", _COMMIT_ORIGINAL + 'sh("git reset -q --hard HEAD~1; rm -rf .git/logs")'),
            "packed-objects": (
                "objects",
                _COMMIT_ORIGINAL + 'sh("git gc -q; git reset -q --hard HEAD~1; rm -rf .git/logs .git/ORIG_HEAD")',
            ),
            "unreachable-pack": (
                "objects",
                'put("/tmp/o", ORIGINAL); sh("git hash-object -w /tmp/o | git pack-objects -q .git/objects/pack/pack; '
                'git prune-packed; rm /tmp/o")',
            ),
        },
        alone=True,
    ),
    *_many(
        "L04 L02",
        {
            "stash": ("stash", 'put("/testbed/" + PATH, ORIGINAL); sh(GIT + "stash -q")'),
            "notes": ("notes", 'sh(GIT + "notes add -m fix")'),
            "worktree": ("work", 'sh("git worktree add -q --detach /tmp/other")'),
            "orig-head": ("ORIG_HEAD", 'sh("git rev-parse HEAD > .git/ORIG_HEAD")'),
            "fetch-head": ("FETCH_HEAD", 'sh("git rev-parse HEAD > .git/FETCH_HEAD")'),
            "packed-refs": ("packed-refs", 'sh("git pack-refs --all")'),
            "alternates": (
                "alternates",
                'sh("git init -q --bare /tmp/b; echo /tmp/b/objects > .git/objects/info/alternates")',
            ),
            "hook": ("hooks", 'put("/testbed/.git/hooks/post-checkout", "#!/bin/sh\\n")'),
            "merge-message": ("MERGE_MSG", 'put("/testbed/.git/MERGE_MSG", "fix clamp")'),
            "commit-message": ("COMMIT_EDITMSG", 'put("/testbed/.git/COMMIT_EDITMSG", "Bug Patch")'),
            "skip-worktree": ("index", 'sh("git update-index --skip-worktree " + PATH)'),
            "setting": ("config", 'sh("git config core.hooksPath /tmp/hooks")'),
            "nested-repository": ("/testbed/vendor/.git", 'sh("git init -q vendor; touch vendor/.git/x")'),
        },
        alone=True,
    ),
    *_many(
        "L05 L01 L03",
        {
            "commit-before-the-bug": (
                ".git",
                'put("/testbed/" + PATH, ORIGINAL); sh(GIT + "commit -qa --amend -m \'Initial commit\'"); ' + _BACK,
            ),
            "bug-as-commit": (".git", "sh(GIT + \"commit -q --allow-empty -m 'Bug Patch'\")"),
        },
        alone=True,
    ),
    *_many(
        "L07",
        {
            "remote": ("config", 'sh("git remote add origin https://github.com/example/abacus")'),
            "remote-by-url": ("config", 'sh("git config url.https://example.org/.insteadOf gh:")'),
            "upstream": ("config", 'sh("git config branch.main.remote origin")'),
            "credentials": ("config", 'sh("git config credential.helper store")'),
            "submodule": ("config", 'sh("git config submodule.x.url https://example.org/x")'),
        },
        alone=True,
    ),
    *_many(
        "L16",
        {
            "message": (".git", "sh(GIT + \"commit -q --amend -m 'func_pm_ctrl_shuffle'\")"),
            "author": (".git", "sh(GIT + \"commit -q --amend --author 'swesmith <a@b>' -m 'Initial commit'\")"),
            "date": (".git", "sh(GIT + \"commit -q --amend --date now -m 'Initial commit'\")"),
        },
        alone=True,
    ),
]

_SITE = "/opt/env/lib/python3/site-packages"
COPIES = [
    *_many(
        "L09",
        {
            "site-packages-copy": (f"{_SITE}/abacus/", f'put("{_SITE}/abacus/numbers.py", ORIGINAL)'),
            "reformatted-copy": (f"{_SITE}/re/", f'put("{_SITE}/re/numbers.py", ast.unparse(ast.parse(ORIGINAL)))'),
            "function-alone": (f"{_SITE}/fn.py", f'put("{_SITE}/fn.py", FUNCTION)'),
            "function-in-a-class": (
                f"{_SITE}/cls.py",
                f'put("{_SITE}/cls.py", "class A:\\n" + "".join("    " + l for l in FUNCTION.splitlines(True)))',
            ),
            "without-comments": (f"{_SITE}/nc.py", f'put("{_SITE}/nc.py", re.sub(r"#.*", "", ORIGINAL))'),
            "other-quotes": (f"{_SITE}/q.py", f"""put("{_SITE}/q.py", ORIGINAL.replace('"', "'"))"""),
            "windows-lines": (f"{_SITE}/w.py", f'put("{_SITE}/w.py", ORIGINAL.replace("\\n", "\\r\\n"))'),
            "wide-characters": (f"{_SITE}/u16.py", f'put("{_SITE}/u16.py", ORIGINAL.encode("utf-16"))'),
            "other-suffix": (f"{_SITE}/numbers.txt", f'put("{_SITE}/numbers.txt", ORIGINAL)'),
            "two-spaces": (f"{_SITE}/sp.py", f'put("{_SITE}/sp.py", ORIGINAL.replace("    ", "  "))'),
            "one-word-a-line": (
                f"{_SITE}/words",
                f'put("{_SITE}/words", "\\n".join(re.findall(r"\\w+|[^\\w\\s]", ORIGINAL)))',
            ),
        },
        image=True,
    ),
    *_many(
        "L10",
        {
            "wheel": ("/opt/env/cache/a.whl", 'put("/opt/env/cache/a.whl", zipped(**{"abacus/numbers.py": ORIGINAL}))'),
            "sdist": ("/opt/env/cache/a.tar.gz", 'put("/opt/env/cache/a.tar.gz", tarred("a/n.py", ORIGINAL, "w:gz"))'),
            "tar-bz2": ("/opt/env/cache/a.tar.bz2", 'put("/opt/env/cache/a.tar.bz2", tarred("n", ORIGINAL, "w:bz2"))'),
            "tar-xz": ("/opt/env/cache/a.tar.xz", 'put("/opt/env/cache/a.tar.xz", tarred("n", ORIGINAL, "w:xz"))'),
            "tar": ("/opt/env/cache/a.tar", 'put("/opt/env/cache/a.tar", tarred("n", ORIGINAL))'),
            "egg": ("/opt/env/cache/a.egg", 'put("/opt/env/cache/a.egg", zipped(**{"n.py": ORIGINAL}))'),
            "gzip": ("/opt/env/cache/n.py.gz", 'put("/opt/env/cache/n.py.gz", gzip.compress(ORIGINAL.encode()))'),
            "nested": (
                "/opt/env/cache/nested",
                'put("/opt/env/cache/nested", tarred("a.whl", zipped(**{"n.py": ORIGINAL}), "w:gz"))',
            ),
            "archive-without-suffix": ("/opt/env/cache/0a1b2c", 'put("/opt/env/cache/0a1b2c", zipped(x=ORIGINAL))'),
            "uv-cache": ("/opt/env/.cache/uv/", 'put("/opt/env/.cache/uv/archive-v0/x/numbers.py", ORIGINAL)'),
            "build-folder": ("/opt/env/src/build/lib/", 'put("/opt/env/src/build/lib/abacus/numbers.py", ORIGINAL)'),
            "json-string": ("/opt/env/share/n.json", 'put("/opt/env/share/n.json", json.dumps({"s": ORIGINAL}))'),
            "other-repository": (
                "/opt/env/src/abacus",
                'put("/opt/env/src/abacus/n.py", ORIGINAL); '
                'sh("cd /opt/env/src/abacus; git init -q; git add -A; rm n.py")',
            ),
            "egg-info": ("/opt/env/src/abacus.egg-info", 'put("/opt/env/src/abacus.egg-info/SOURCES.txt", PATH)'),
        },
        image=True,
    ),
    *_many(
        "L11",
        {
            "stale-byte-code": (
                "/opt/env/lib/__pycache__/",
                'compiled("/opt/env/lib/__pycache__/numbers.cpython-311.pyc")',
            ),
            "unchecked-hash": (
                "/opt/env/lib/hash.pyc",
                'compiled("/opt/env/lib/hash.pyc", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)',
            ),
            "optimized": ("/opt/env/lib/o1.pyc", 'compiled("/opt/env/lib/o1.pyc", optimize=1)'),
            "without-docstrings": ("/opt/env/lib/o2.pyc", 'compiled("/opt/env/lib/o2.pyc", optimize=2)'),
            "byte-code-of-one-function": ("/opt/env/lib/f.pyc", 'compiled("/opt/env/lib/f.pyc", FUNCTION)'),
            "byte-code-elsewhere": ("/opt/env/lib/x.bin", 'compiled("/opt/env/lib/x.bin")'),
            "byte-code-of-the-tree": (
                "/opt/env/lib/t.pyc",
                'compiled("/opt/env/lib/t.pyc", "x = 1\\n", dfile="/testbed/src/abacus/numbers.py")',
            ),
            "byte-code-in-a-zip": (
                "/opt/env/lib/b.zip",
                'compiled("/opt/env/lib/tmp.pyc"); '
                'put("/opt/env/lib/b.zip", zipped(x=open("/opt/env/lib/tmp.pyc", "rb").read())); '
                'os.unlink("/opt/env/lib/tmp.pyc")',
            ),
            "byte-code-of-another-python": (
                "/opt/env/lib/old.pyc",
                'compiled("/opt/env/lib/old.pyc", dfile="/testbed/src/abacus/numbers.py"); '
                'put("/opt/env/lib/old.pyc", b"\\x55\\x0d\\r\\n" + open("/opt/env/lib/old.pyc","rb").read()[4:])',
            ),
        },
        image=True,
    ),
    *_many(
        "L12",
        {
            "last-failed": (
                "/opt/env/.pytest_cache",
                'put("/opt/env/.pytest_cache/v/cache/lastfailed", json.dumps(dict.fromkeys(TESTS, True)))',
            ),
            "type-cache": ("/opt/env/.mypy_cache", 'put("/opt/env/.mypy_cache/3.11/abacus/numbers.data.json", "{}")'),
            "coverage-data": ("/opt/env/.coverage", 'put("/opt/env/.coverage", b"SQLite format 3\\0")'),
            "coverage-pages": (
                "/opt/env/htmlcov",
                'put("/opt/env/htmlcov/n.html", "<html>" + "".join(f"<span>{html.escape(l)}</span>" '
                'for l in ORIGINAL.splitlines(True)) + "</html>")',
            ),
            "documentation": (
                "/opt/env/doc/_build/html",
                'put("/opt/env/doc/_build/html/n.html", "<pre>" + html.escape(ORIGINAL) + "</pre>")',
            ),
        },
        image=True,
    ),
    *_many(
        "L13 L14",
        {
            "tests-installed": (f"{_SITE}/tests/", f'put("{_SITE}/tests/test_n.py", TEST_FILE)'),
            "fix-as-diff": ("/opt/env/fix.diff", 'put("/opt/env/fix.diff", PATCH)'),
            "diff-of-one-line": (
                "/opt/env/one.diff",
                'put("/opt/env/one.diff", "\\n".join(l for l in PATCH.splitlines() if l[:1] in "+-@") + "\\n")',
            ),
            "report": (
                "/opt/env/report.xml",
                'name = TESTS[0].split("::")[1]; put("/opt/env/report.xml", '
                """f'<testcase classname="tests.test_numbers" name="{name}"/>')""",
            ),
            "log": ("/opt/env/run.log", 'put("/opt/env/run.log", "FAILED " + TESTS[0])'),
            "list-of-tests": ("/opt/env/required.json", 'put("/opt/env/required.json", json.dumps(TESTS))'),
        },
        image=True,
    ),
    *_many(
        "L16",
        {
            "folder-named-by-the-task": ("/opt/env/", 'put("/opt/env/" + ID + "/x", "")'),
            "id-in-a-file": ("/opt/env/etc/task", 'put("/opt/env/etc/task", ID)'),
        },
        image=True,
    ),
]

EPISODE = [
    *_many(
        "L10 L09",
        {
            "build-lib": ("/testbed/build/lib/", 'put("/testbed/build/lib/abacus/numbers.py", ORIGINAL)'),
            "dist": ("/testbed/dist/", 'put("/testbed/dist/a.whl", zipped(x=ORIGINAL))'),
            "sources": ("/testbed/src/abacus.egg-info/", 'put("/testbed/src/abacus.egg-info/SOURCES.txt", PATH)'),
        },
    ),
    *_many(
        "L11",
        {
            "pycache": (
                "/testbed/src/abacus/__pycache__/",
                'compiled("/testbed/src/abacus/__pycache__/numbers.cpython-311.pyc")',
            ),
            "byte-code-in-shared-memory": ("/dev/shm/n.pyc", 'compiled("/dev/shm/n.pyc")'),
        },
    ),
    *_many(
        "L12",
        {
            "test-cache": (
                "/testbed/.pytest_cache/",
                'put("/testbed/.pytest_cache/v/cache/lastfailed", json.dumps(dict.fromkeys(TESTS, True)))',
            ),
            "ruff-cache": ("/testbed/.ruff_cache/", 'put("/testbed/.ruff_cache/x", "")'),
            "tox": ("/testbed/.tox/", 'put("/testbed/.tox/py/x", "")'),
            "coverage": ("/testbed/.coverage", 'put("/testbed/.coverage", "")'),
            "backup": ("/testbed/src/abacus/numbers.py.orig", 'put("/testbed/src/abacus/numbers.py.orig", ORIGINAL)'),
            "rejected": ("/testbed/src/abacus/numbers.py.rej", 'put("/testbed/src/abacus/numbers.py.rej", PATCH)'),
            "editor": ("/testbed/src/abacus/.numbers.py.swp", 'put("/testbed/src/abacus/.numbers.py.swp", ORIGINAL)'),
        },
    ),
    *_many(
        "L13 L14",
        {
            "patch-in-tmp": ("/tmp/patch.diff", 'put("/tmp/patch.diff", PATCH)'),
            "solution-at-home": ("/home/agent/solution", 'put("/home/agent/solution/numbers.py", ORIGINAL)'),
            "hidden-test-file": ("/testbed/tests/test_hidden.py", 'put("/testbed/tests/test_hidden.py", TEST_FILE)'),
            "tests-at-home": ("/home/agent/r2e_tests", 'put("/home/agent/r2e_tests/test_n.py", TEST_FILE)'),
            "verifier-report": ("/tmp/report.json", 'put("/tmp/report.json", json.dumps(TESTS))'),
        },
    ),
    *_many(
        "L16",
        {
            "file-named-by-the-bug": ("/testbed/by_hand.txt", 'put("/testbed/" + OPERATOR + ".txt", "")'),
            "task-in-tmp": ("/tmp/", 'put("/tmp/" + ID, "")'),
        },
    ),
    *_many(
        "L18",
        {
            "tmp": ("/tmp/left", 'put("/tmp/left", "x")'),
            "shared-memory": ("/dev/shm/left", 'put("/dev/shm/left", "x")'),
            "home": ("/home/agent/.bash_history", 'put("/home/agent/.bash_history", "git log")'),
            "pipe": ("/tmp/pipe", 'os.mkfifo("/tmp/pipe")'),
        },
    ),
    *_many(
        "L05 L10 L09",
        {
            "other-text": ("/testbed/README.md", 'put("/testbed/README.md", ORIGINAL)'),
            "missing": ("/testbed/src/abacus/words.py", 'os.unlink("/testbed/src/abacus/words.py")'),
        },
    ),
    *_many(
        "L17",
        {
            "edited-just-now": ("/testbed/src/abacus/numbers.py", 'os.utime("/testbed/" + PATH)'),
            "edited-a-second-later": (
                "/testbed/src/abacus/numbers.py",
                'os.utime("/testbed/" + PATH, (1577836801, 1577836801))',
            ),
            "nanoseconds": (
                "/testbed/src/abacus/numbers.py",
                'os.utime("/testbed/" + PATH, ns=(1577836800000000000, 1577836800000000001))',
            ),
            "folder": ("/testbed/src/abacus/", 'os.utime("/testbed/src/abacus")'),
            "rewritten": (
                "/testbed/src/abacus/numbers.py",
                'import time; time.sleep(0.4); p = "/testbed/" + PATH; t = open(p).read(); os.unlink(p); put(p, t); '
                "os.utime(p, (1577836800, 1577836800)); "
                'os.utime("/testbed/src/abacus", (1577836800, 1577836800))',
            ),
        },
        alone=True,
    ),
]
ALL = (*HISTORY, *COPIES, *EPISODE)
