"""Leaks of git, of tools, of names and of times, as a careless builder of environments leaves them; and all together.

Written from the list of known leaks alone, apart from the scanner: see `independent_forms`.
"""

# ruff: noqa: E501 (tables: one leak, one line)

from __future__ import annotations

from independent_forms import PRELUDE as FILES
from independent_forms import Leak, copies, leak

PRELUDE = (
    FILES
    + r'''
WHO = ["-c", "user.name=a", "-c", "user.email=a@b"]

def git(*words, data=None, at="/testbed", env=None):
    done = subprocess.run(
        ["git", *WHO, *words], cwd=at, input=data, env={**os.environ, **(env or {})}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()

def blob(text, at="/testbed"):
    return git("hash-object", "-w", "--stdin", data=text.encode(), at=at)

def tree(text, at="/testbed"):
    """The tree of HEAD with another content of the file."""
    env = {"GIT_INDEX_FILE": "/tmp/" + uuid.uuid4().hex}
    git("read-tree", "HEAD", at=at, env=env)
    git("update-index", "--cacheinfo", f"100644,{blob(text, at)},{PATH}", at=at, env=env)
    made = git("write-tree", at=at, env=env)
    os.remove(env["GIT_INDEX_FILE"])
    return made

def commit(text, message, *parents, at="/testbed"):
    words = [word for parent in parents for word in ("-p", parent)]
    return git("commit-tree", tree(text, at), *words, "-m", message, at=at)

def fork(path, *how):
    """Another repository, with the fix on top."""
    lies(path + "/x")
    git("clone", "-q", "--no-hardlinks", *how, "/testbed", os.path.expanduser(path))
    where = os.path.expanduser(path)
    git("update-ref", "HEAD", commit(ORIGINAL, "Fix it", "HEAD", at=where), at=where)
    return where

def moved(name, ref="HEAD"):
    """A ref that points to the fix."""
    git("update-ref", name, commit(ORIGINAL, "Fix it", ref))

def stamp(path, seconds, *, nanoseconds=0):
    os.utime(os.path.join("/testbed", path), ns=(seconds * 10**9 + nanoseconds,) * 2)

def clock():
    return os.stat("/testbed/" + PATH).st_mtime_ns // 10**9
'''
)

REFS = (
    ("refs/heads/fix-1", "L01 L02 L04"),
    ("refs/tags/v9.9.9", "L01 L02 L04"),
    ("refs/remotes/origin/main", "L01 L02 L07"),
    ("refs/original/refs/heads/main", "L01 L02 L04"),
    ("refs/bisect/good", "L01 L02 L04"),
    ("refs/pull/7/head", "L01 L02 L04"),
    ("refs/stash", "L04 L02"),
    ("refs/prefetch/remotes/origin/main", "L01 L02 L07"),
    ("refs/worktree/x", "L01 L02 L04"),
    ("refs/keep-around/aa", "L01 L02 L04"),
    ("refs/jj/root", "L01 L02 L04"),
)
HEADS = ("ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_HEAD", "AUTO_MERGE")
NOTES = {
    "pre-commit hook": ("hooks/pre-commit", "'#!/bin/sh\\ngit apply <<E\\n' + PATCH + 'E\\n'"),
    "sample hook": ("hooks/post-checkout.sample", "PATCH"),
    "patches of a rebase": ("rebase-apply/0001", "'From: a\\nSubject: Fix\\n\\n---\\n' + PATCH"),
    "merge of a rebase": ("rebase-merge/patch", "PATCH"),
    "preimage of a conflict": ("rr-cache/" + "a" * 40 + "/preimage", "ORIGINAL"),
    "lost and found": ("lost-found/other/" + "b" * 40, "ORIGINAL"),
    "last message": ("COMMIT_EDITMSG", "'Bug Patch: ' + OPERATOR + ' in ' + NAME + '\\n'"),
    "patch in a message": ("MERGE_MSG", "PATCH"),
    "squash": ("SQUASH_MSG", "'Squashed:\\n\\n' + PATCH"),
    "description": ("description", "ID + '\\n'"),
    "excluded": ("info/exclude", "'# ' + OPERATOR + '\\n'"),
    "old place of remotes": ("remotes/upstream", "'URL: https://github.com/a/b\\nPull: refs/heads/main\\n'"),
    "older place of remotes": ("branches/upstream", "'https://github.com/a/b\\n'"),
    "editor's swap file": (".MSG.swp", "swap_file(PATCH)"),
}
"""Files of `.git` that no ref and no object holds."""


def _refs() -> list[Leak]:
    made = [leak(f"ref {name}", ids, name, f"moved({name!r})") for name, ids in REFS]
    made += [
        leak(name, "L01 L02 L03 L04", name, f"put('.git/{name}', commit(ORIGINAL, 'Fix', 'HEAD') + '\\n')")
        for name in HEADS
    ]
    for name, (path, content) in NOTES.items():
        put = f"os.chmod(put('.git/{path}', {content}), 0o755)"
        made.append(leak(name, "L01 L03 L04 L05 L07 L10 L13 L16", path, put))
    return [
        *made,
        leak("notes", "L04 L02", "refs/notes/commits", "git('notes', 'add', '-m', PATCH, 'HEAD')"),
        leak("annotated tag", "L02 L04", "tags/gold", "git('tag', '-a', 'gold', '-m', PATCH, 'HEAD')"),
        leak("replaced", "L02 L03 L04", "refs/replace", "git('replace', git('rev-parse', 'HEAD'), commit(ORIGINAL, 'x'))"),
        leak(
            "sibling branches",
            "L06 L02 L01",
            "func_pm_ctrl_shuffle__0001",
            "for n in range(12): moved(f'refs/heads/a__b.1234.func_pm_ctrl_shuffle__{n:04}')",
        ),
        leak("tag of a blob", "L02 L03 L04", "tags/kept", "git('update-ref', 'refs/tags/kept', blob(ORIGINAL))"),
        leak("remote", "L07", ".git config", "git('remote', 'add', 'origin', 'https://github.com/a/abacus')"),
        leak("address rewritten", "L07 L18", ".gitconfig", "put('~/.gitconfig', '[url \"https://x/\"]\\n insteadOf = up:\\n')"),
        leak("credentials", "L07 L18", ".git-credentials", "put('~/.git-credentials', 'https://a:b@github.com\\n')"),
        leak("worktree", "L04 L02", "worktrees/wt", "git('worktree', 'add', '-q', '-f', '--detach', '/tmp/wt', 'HEAD')"),
        leak("bundle", "L01 L10 L18", "/tmp/up.bundle", "git('bundle', 'create', '/tmp/up.bundle', '--all', at=fork('/tmp/f1'))"),
        leak("bundle in git", "L01 L04 L10", "old.bundle", "git('bundle', 'create', '/testbed/.git/old.bundle', '--all', at=fork('/tmp/f2'))"),
        leak("mirror", "L01 L04 L10 L18", "mirror.git", "fork('~/mirror.git', '--bare')"),
        leak("packed mirror", "L01 L04 L10 L18", "packed.git", "git('gc', '-q', at=fork('/tmp/packed.git', '--bare'))"),
        leak("clone", "L01 L04 L10 L18", "/dev/shm/checkout", "fork('/dev/shm/checkout')"),
        leak("nested repository", "L01 L04 L10", "vendor/abacus", "fork('vendor/abacus')"),
        leak("submodule's folder", "L01 L04 L10", "modules/up", "fork('.git/modules/up', '--bare')"),
        leak("zipped .git", "L01 L10", "git.tgz", "shutil.make_archive('/tmp/g', 'gztar', fork('/tmp/f3', '--bare')); os.rename('/tmp/g.tar.gz', '/tmp/git.tgz')"),
        leak("pack by itself", "L01 L03 L10 L18", "pack-kept", "put('/tmp/pack-kept.pack', subprocess.run(['git', 'pack-objects', '-q', '--stdout'], cwd='/testbed', input=(blob(ORIGINAL)+'\\n').encode(), capture_output=True).stdout)"),
        leak("loose object elsewhere", "L03 L10 L18", "/tmp/objs", "put('/tmp/objs/ab/cdef', zlib.compress(f'blob {len(ORIGINAL)}\\0'.encode() + ORIGINAL.encode()))"),
        leak("fast export", "L01 L10", "export.fi", "put('~/export.fi', git('fast-export', '--all', at=fork('/tmp/f4')))"),
        leak("mail of a patch", "L01 L10 L13", "0001-Fix", "put('0001-Fix-it.patch', git('format-patch', '-1', '--stdout', at=fork('/tmp/f5')))"),
        leak("combined log", "L01 L10 L13 L18", "git.log", "put('/tmp/git.log', git('log', '-p', '--color=always', at=fork('/tmp/f6')))"),
    ]  # fmt: skip


OBJECTS = {
    "dangling blob": "blob(ORIGINAL)",
    "dangling function": "blob(FUNCTION)",
    "dangling commit": "commit(ORIGINAL, 'Fix', 'HEAD')",
    "dangling tree": "tree(ORIGINAL)",
    "dangling tag": "git('mktag', data=(f'object {git(\"rev-parse\", \"HEAD\")}\\ntype commit\\ntag x\\n'"
    "f'tagger a <a@b> 1 +0000\\n\\n{PATCH}').encode())",
    "unreachable pack": "subprocess.run(['git', 'pack-objects', '-q', '/testbed/.git/objects/pack/pack'], cwd='/testbed',"
    " input=(git('rev-parse', 'HEAD') + '\\n' + blob(ORIGINAL) + '\\n').encode(), check=True); git('prune-packed')",
    "half a fetch": "put('.git/objects/pack/tmp_pack_x1', zlib.compress(ORIGINAL.encode()))",
    "half an object": "put('.git/objects/ab/tmp_obj_x1', zlib.compress(b'blob 9\\0' + ORIGINAL.encode()))",
    "alternates": "put('.git/objects/info/alternates', fork('/tmp/alt', '--bare') + '/objects\\n')",
    "reflog by hand": "put('.git/logs/HEAD', f'{\"0\" * 40} {commit(ORIGINAL, \"x\")} a <a@b> 1 +0000\\tcommit: Fix\\n')",
    "reflog": "git('config', 'core.logAllRefUpdates', 'true'); h = git('rev-parse', 'HEAD'); moved('HEAD');"
    " git('update-ref', 'HEAD', h)",
    "stash": "git('stash', 'store', '-m', 'wip', commit(ORIGINAL, 'WIP', 'HEAD', 'HEAD'))",
    "packed refs": "moved('refs/heads/up'); git('pack-refs', '--all', '--prune')",
    "staged": "git('update-index', '--cacheinfo', f'100644,{blob(ORIGINAL)},{PATH}')",
    "staged conflict": "b = blob(ORIGINAL); m = git('rev-parse', f'HEAD:{PATH}'); git('update-index', '--index-info',"
    " data=f'0 {\"0\" * 40}\\t{PATH}\\n100644 {b} 2\\t{PATH}\\n100644 {m} 3\\t{PATH}\\n'.encode())",
    "bug on top": "moved('HEAD'); git('update-ref', 'HEAD', commit(BUGGY, 'Bug Patch', 'HEAD'))",
    "bug not committed": "git('update-ref', 'HEAD', commit(ORIGINAL, 'Initial commit'))",
    "tests removed in a commit": "git('update-ref', 'HEAD', commit(BUGGY, 'Remove F2P Tests', 'HEAD'))",
    "shallow": "g = git('rev-parse', 'HEAD'); c = commit(BUGGY, 'x', commit(ORIGINAL, 'y'));"
    " put('.git/shallow', c + '\\n'); git('update-ref', 'HEAD', c)",
    "merge parent": "git('update-ref', 'HEAD', commit(BUGGY, 'Merge', 'HEAD', commit(ORIGINAL, 'Fix', 'HEAD')))",
    "extra file in the commit": "b = blob(ORIGINAL); git('update-index', '--add', '--cacheinfo', f'100644,{b},old.py');"
    " git('update-ref', 'HEAD', git('commit-tree', git('write-tree'), '-m', 'Initial commit'))",
}

HEAD_NAMES = {
    "branch of the instance": ("git('branch', '-m', ID)", "L16 L02"),
    "branch of the operator": ("git('branch', '-m', 'bug/' + OPERATOR + '/1')", "L16 L02"),
    "message of the instance": ("git('commit', '-q', '--amend', '-m', 'Bug ' + ID); shutil.rmtree('.git/logs')", "L16"),
    "author": (
        "git('commit', '-q', '--amend', '--reset-author', '-m', 'Initial commit',"
        " env={'GIT_AUTHOR_NAME': OPERATOR, 'GIT_AUTHOR_EMAIL': 'a@b'})",
        "L16",
    ),
    "setting": ("git('config', 'user.name', 'mutant ' + OPERATOR)", "L04 L16"),
}

TIMES = {
    "edited last": "stamp(PATH, clock() + 5)",
    "edited first": "stamp(PATH, clock() - 86400)",
    "edited within a second": "stamp(PATH, clock(), nanoseconds=731)",
    "its folder": "stamp(os.path.dirname(PATH), clock() + 60)",
    "all others are newer": "for at, _, files in os.walk('/testbed/src'):\n"
    " for f in files: f == NAME or stamp(os.path.join(at, f), clock() + 9)",
    "written anew": "w = clock(); put('src/x', BUGGY); os.replace('/testbed/src/x', '/testbed/' + PATH)\n"
    "for each in (PATH, 'src', os.path.dirname(PATH)): stamp(each, w)",
    "time of change": "time.sleep(1.1); stamp(PATH, clock())",
    "mode": "os.chmod('/testbed/' + PATH, 0o755); stamp(PATH, clock())",
    "private mode": "os.chmod('/testbed/' + PATH, 0o600); stamp(PATH, clock())",
    "laid out by a printer": "w = clock(); put(PATH, ast.unparse(ast.parse(BUGGY)) + '\\n'); stamp(PATH, w)",
}

CHANNELS = {
    "shared memory left behind": "import ctypes; c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p;"
    " ctypes.memmove(c.shmat(c.shmget(4711, 1 << 16, 0o1600), None, 0), ORIGINAL.encode(), len(ORIGINAL))",
    "message queue left behind": "import ctypes; c = ctypes.CDLL(None); q = c.msgget(4712, 0o1600);"
    " c.msgsnd(q, struct.pack('l', 1) + PATCH.encode(), len(PATCH), 0)",
    "semaphores left behind": "import ctypes; assert ctypes.CDLL(None).semget(4713, 8, 0o1600) >= 0",
}


def _exclusive() -> list[Leak]:
    git = [leak(name, "L01 L02 L03 L04 L05", "", script, channel="git") for name, script in OBJECTS.items()]
    names = [leak(name, ids, "", script, channel="git") for name, (script, ids) in HEAD_NAMES.items()]
    times = [leak(name, "L17", "src", script, channel="times") for name, script in TIMES.items()]
    between = [leak(name, "L18", "", script, channel="ipc") for name, script in CHANNELS.items()]
    return [*git, *names, *times, *between]


TOOLS: tuple[tuple[str, str, str, str], ...] = (
    ("file of a failed merge", "L10 L12", "src/abacus/numbers.py.orig", "ORIGINAL"),
    ("rejected hunk", "L10 L12 L13", "src/abacus/numbers.py.rej", "PATCH"),
    ("back-up of an editor", "L10 L12", "src/abacus/numbers.py~", "ORIGINAL"),
    ("autosave", "L10 L12", "src/abacus/#numbers.py#", "ORIGINAL"),
    ("swap file beside it", "L10 L12", "src/abacus/.numbers.py.swp", "swap_file(ORIGINAL)"),
    ("back-up of sed", "L10 L12", "src/abacus/numbers.py.bak", "ORIGINAL"),
    ("checkpoint", "L10 L12", "src/abacus/.ipynb_checkpoints/numbers-checkpoint.py", "ORIGINAL"),
    ("history of an editor", "L10 L12", ".history/src/abacus/numbers_20260101.py", "ORIGINAL"),
    ("two byte codes", "L11", "src/abacus/__pycache__/numbers.cpython-311.pyc", "byte_code(ORIGINAL)"),
    ("old byte code", "L11", "src/abacus/numbers.pyc", "byte_code(ORIGINAL)"),
    ("byte code of the tests", "L11 L13", "tests/__pycache__/test_numbers.cpython-311-pytest-8.4.pyc", "byte_code(TEST_FILE)"),
    ("types of the tree", "L12", ".mypy_cache/3.11/abacus/numbers.meta.json", "json.dumps({'id': MODULE, 'mtime': 1, 'size': len(ORIGINAL), 'path': PATH})"),
    ("types elsewhere", "L12", "src/.mypy_cache/3.11/abacus/numbers.data.json", "json.dumps({'.class': 'MypyFile', 'names': {'clamp': 1}})"),
    ("last failed", "L12 L13 L14", ".pytest_cache/v/cache/lastfailed", "json.dumps({each: True for each in TESTS})"),
    ("all test names", "L12 L13 L14", ".pytest_cache/v/cache/nodeids", "json.dumps(sorted(TESTS))"),
    ("lints", "L12", ".ruff_cache/0.12.0/1234567890", "b'\\0\\1' + PATH.encode()"),
    ("coverage", "L12 L13", "tests/.coverage", "database([(1, each + '|run') for each in TESTS], columns='id, context')"),
    ("coverage of a worker", "L12 L13", ".coverage.host.123.x", "database([(1, PATH)], columns='id, path')"),
    ("coverage page", "L10 L12", "htmlcov/z_numbers_py.html", "coloured(ORIGINAL)"),
    ("tox environment", "L09 L10 L12", ".tox/py311/lib/python3.11/site-packages/abacus/numbers.py", "ORIGINAL"),
    ("nox log", "L12 L13 L14", ".nox/tests/log.txt", "'FAILED ' + TESTS[0]"),
    ("virtual environment", "L09 L10", ".venv/lib/python3.11/site-packages/abacus/numbers.py", "ORIGINAL"),
    ("pypackages", "L09 L10", "__pypackages__/3.11/lib/abacus/numbers.py", "ORIGINAL"),
    ("eggs", "L09 L10 L12", ".eggs/abacus-1.0-py3.11.egg", "packed('zip', **{'abacus/numbers.py': ORIGINAL})"),
    ("built", "L10 L12", "build/lib/abacus/numbers.py", "ORIGINAL"),
    ("built for a platform", "L10 L12", "build/bdist.linux-x86_64/wheel/abacus/numbers.py", "ORIGINAL"),
    ("wheel", "L10", "dist/abacus-1.0-py3-none-any.whl", "packed('zip', **{'abacus/numbers.py': ORIGINAL, 'abacus-1.0.dist-info/RECORD': 'x'})"),
    ("source archive", "L10", "dist/abacus-1.0.tar.gz", "packed('gz', **{'abacus-1.0/src/abacus/numbers.py': ORIGINAL})"),
    ("egg info", "L10 L12", "src/abacus.egg-info/SOURCES.bak", "FUNCTION"),
    ("source shown in the docs", "L10 L12", "docs/_build/html/_modules/abacus/numbers.html", "coloured(ORIGINAL)"),
    ("doctree", "L10 L12", "docs/_build/doctrees/api.doctree", "pickle.dumps({'text': FUNCTION})"),
    ("hypothesis patches", "L12 L13", ".hypothesis/patches/2026-01-01--ab.patch", "'+' + TEST_FUNCTION.replace('\\n', '\\n+')"),
    ("testmon", "L12 L13", ".testmondata", "database([(1, each) for each in TESTS], columns='id, test_name')"),
    ("cache of pip", "L10 L18", "~/.cache/pip/http-v2/a/b/abc.body", "packed('zip', **{'abacus/numbers.py': ORIGINAL})"),
    ("wheel of pip", "L10 L18", "~/.cache/pip/wheels/ab/abacus-1.0-py3-none-any.whl", "packed('zip', **{'abacus/numbers.py': ORIGINAL})"),
    ("archive of uv", "L10 L18", "~/.cache/uv/archive-v0/x7/abacus/numbers.py", "ORIGINAL"),
    ("conda's packages", "L10 L18", "~/miniconda3/pkgs/abacus-1.0/site-packages/abacus/numbers.py", "ORIGINAL"),
    ("user's site", "L09 L10 L18", "~/.local/lib/python3.11/site-packages/abacus/numbers.py", "ORIGINAL"),
    ("cache of a parser", "L10 L18", "~/.cache/parso/CPython-311-33/ab.pkl", "pickle.dumps({'lines': ORIGINAL.splitlines(True)})"),
    ("upstream checkout", "L10 L18", "/tmp/tmpab12/abacus-main/src/abacus/numbers.py", "ORIGINAL"),
    ("Vim's registers", "L10 L18", "~/.viminfo", "'\"0\\tLINE\\t0\\n' + textwrap.indent(FUNCTION, '\\t', lambda line: True)"),
    ("Python's history", "L10 L18", "~/.python_history", "FUNCTION"),
    ("command that broke it", "L10 L13 L18", "~/.bash_history", "f'cd /testbed\\nsed -i \"22s/{BEFORE.strip()}/{AFTER.strip()}/\" {PATH}\\n'"),
    ("report of a mutation", "L10 L12 L13 L14 L16", "mutants/report.json", "json.dumps({'file': PATH, 'line': 22, 'original': AFTER, 'mutant': BEFORE})"),
    ("result of a mutation tool", "L10 L12", "mutants/src/abacus/numbers.py", "FUNCTION.replace('def clamp', 'def x_clamp__mutmut_orig')"),
    ("session of a mutation tool", "L10 L12 L13", "session.sqlite", "database([(PATH, PATCH)], columns='module, diff')"),
    ("gold patch", "L13", "/tmp/gold.patch", "PATCH"),
    ("patch without names", "L13 L10", "/tmp/x.diff", "PATCH[PATCH.index('@@'):]"),
    ("patch as a listing of words", "L13 L10", "/tmp/words.diff", "PATCH.replace('-' + BEFORE + '\\n+' + AFTER, f'[-{BEFORE}-]{{+{AFTER}+}}')"),
    ("patch in context form", "L13 L10", "/tmp/context.diff", "'*** a\\n--- b\\n***************\\n*** 19,25 ****\\n  def clamp(value, low, high):\\n!' + BEFORE + '\\n--- 19,25 ----\\n  def clamp(value, low, high):\\n!' + AFTER + '\\n'"),
    ("patch as commands", "L13 L10", "/tmp/plain.diff", "'22c22\\n< ' + BEFORE + '\\n---\\n> ' + AFTER + '\\n'"),
    ("solution", "L10 L13 L18", "/tmp/solution/solve.sh", "'#!/bin/bash\\ncat > ' + PATH + ' <<E\\n' + ORIGINAL + 'E\\n'"),
    ("solution with sed", "L10 L13 L18", "~/solution.sh", "f\"sed -i '22s/{BEFORE.strip()}/{AFTER.strip()}/' {PATH}\\n\""),
    ("evaluation script", "L13 L14 L18", "/tmp/eval.sh", "'git apply - <<E\\n+' + TEST_FUNCTION.replace('\\n', '\\n+') + '\\nE\\npytest ' + TESTS[0]"),
    ("tests moved aside", "L13 L18", "~/r2e_tests/test_1.py", "TEST_FILE"),
    ("tests under another name", "L13", "tests/test_numbers.py.disabled", "TEST_FILE"),
    ("row of the table", "L13 L16 L18", "/tmp/instance.json", "json.dumps({'instance_id': ID, 'patch': PATCH, 'FAIL_TO_PASS': TESTS})"),
    ("names of the tests", "L13 L14 L18", "/dev/shm/f2p.txt", "'\\n'.join(TESTS)"),
    ("settings of the verifier", "L13 L14", "task.toml", "f'[verifier]\\ncommand = \"pytest {TESTS[0]}\"\\n'"),
    ("output of the verifier", "L13 L14 L18", "/tmp/verifier/output.txt", "f'____ {TEST} ____\\n' + TEST_FUNCTION + '\\nE   assert 10 == 0\\nFAILED ' + TESTS[0]"),
    ("results as XML", "L13 L14", "report.xml", "f'<testsuite><testcase classname=\"tests.test_numbers\" name=\"{TESTS[0].split(\"::\")[-1]}\"><failure/></testcase></testsuite>'"),
    ("results as JSON", "L13 L14", ".report.json", "json.dumps({'tests': [{'nodeid': TESTS[0], 'outcome': 'failed'}]})"),
    ("results in a log", "L13 L14 L18", "/tmp/run.log.gz", "gzip.compress(f'\\x1b[31mFAILED\\x1b[0m {TESTS[0]} - assert 10 == 0\\n'.encode())"),
    ("instance in the shell's start", "L16 L18", "~/.bashrc", "f'export INSTANCE_ID={ID}\\n'"),
    ("instance in .env", "L16", ".env", "f'TASK={ID}\\n'"),
    ("operator in a settings file", "L16 L18", "/tmp/job.ini", "f'[bug]\\nkind = {OPERATOR}\\n'"),
    ("instance as a name of a host", "L16 L18", "~/.hostname", "ID.replace('_', '-') + '\\n'"),
    ("instance in base64", "L16 L18", "/tmp/token", "base64.b64encode(ID.encode())"),
    ("instance in a member's name", "L16 L18", "/tmp/cache.zip", "packed('zip', **{ID + '/x.txt': 'x'})"),
    ("label of the image", "L16", "Dockerfile.task", "f'LABEL task=\"{ID}\"\\n'"),
)  # fmt: skip
"""Name, ids, path, content."""

OTHER: tuple[Leak, ...] = (
    leak("folder of the instance", "L16 L18", "/tmp/run-{ID}", "lies(f'/tmp/run-{ID}/x')"),
    leak("folder of the operator", "L16 L18", "/dev/shm/run-{OPERATOR}-3", "lies(f'/dev/shm/run-{OPERATOR}-3/x')"),
    leak("empty file of the instance", "L16", "logs/{ID}.log", "put(f'logs/{ID}.log', '')"),
    leak("link to a name", "L16 L18", "current", "lies('~/x'); os.symlink('/data/' + ID, os.path.expanduser('~/current'))"),
    leak("socket's name", "L16 L18", "{OPERATOR}.sock", "import socket; socket.socket(socket.AF_UNIX).bind(f'/tmp/{OPERATOR}.sock')"),
    leak("pipe's name", "L16 L18", "{ID}.fifo", "os.mkfifo(f'/tmp/{ID}.fifo')"),
    leak("attribute of a file", "L10 L13 L16", "README.md", "os.setxattr('/testbed/README.md', 'user.patch', PATCH.encode())"),
    leak("attribute of the instance", "L16", "pyproject.toml", "os.setxattr('/testbed/pyproject.toml', 'user.task', ID.encode())"),
    leak("link to the original", "L10 L12 L13", "kept.py", "os.symlink(put('~/o/kept-o', ORIGINAL), lies('src/kept.py'))"),
    leak("second name of a file", "L10 L18", "/tmp/hard", "os.link(put('/tmp/soft-1', ORIGINAL), '/tmp/hard-1')"),
    leak("hidden by its mode", "L10 L18", "/tmp/locked", "os.chmod(put('/tmp/locked/a.py', ORIGINAL), 0); os.chmod('/tmp/locked', 0)"),
    leak("odd name", "L10", "odd", r"put('odd/\n\t \udce9.py'.encode('utf-8', 'surrogateescape').decode('utf-8', 'surrogateescape'), ORIGINAL)"),
    leak("split in two", "L10 L18", "/tmp/part", "h = len(ORIGINAL) // 3; put('/tmp/part-a', ORIGINAL[:h]); put('/tmp/part-b', ORIGINAL[h:])"),
    leak("large file", "L10 L18", "/tmp/big", "put('/tmp/big', os.urandom(1 << 20) + b'\\n' * (40 << 20) + ORIGINAL.encode())"),
    leak("sparse file", "L10 L18", "/tmp/sparse", "f = open('/tmp/sparse', 'wb'); f.seek(200 << 20); f.write(FUNCTION.encode()); f.close()"),
    leak("shelf", "L10 L18", "/tmp/shelf", "d = dbm.dumb.open(lies('/tmp/shelf/a'), 'n'); d['x'] = ORIGINAL; d.close()"),
    leak("deep folder", "L10", "deep/a", "put('deep/' + 'a/' * 60 + 'm.py', FUNCTION)"),
)  # fmt: skip

SITE = "/opt/env/lib/python3.11/site-packages"
IMAGE: tuple[tuple[str, str, str, str], ...] = (
    ("installed copy", "L09 L10", f"{SITE}/abacus/numbers.py", "ORIGINAL"),
    ("installed under another name", "L09 L10", f"{SITE}/_vendor/a.py", "fewer(ORIGINAL)"),
    ("installed byte code only", "L09 L11", f"{SITE}/abacus_c/numbers.pyc", "byte_code(ORIGINAL)"),
    ("installed egg", "L09 L10", f"{SITE}/abacus-1.0-py3.11.egg", "packed('zip', **{'abacus/numbers.py': ORIGINAL})"),
    ("target of an egg link", "L09 L10", "/opt/env/src/abacus/numbers.py", "ORIGINAL"),
    ("finder of an editable install", "L09 L10 L16", f"{SITE}/__editable___abacus_finder.py", "f'MAPPING = {{\"abacus\": \"/data/{ID}/src\"}}\\n'"),
    ("where it came from", "L07 L10 L16", f"{SITE}/abacus-0.dist-info/direct_url.json", "json.dumps({'url': 'file:///data/' + ID})"),
    ("start-up hook", "L09 L10", f"{SITE}/sitecustomize.py", "'import abacus.numbers\\n' + FUNCTION + 'abacus.numbers.clamp = clamp\\n'"),
    ("line of a pth file", "L09 L10", f"{SITE}/zz.pth", "'import sys; exec(' + repr(FUNCTION) + ')\\n'"),
    ("script of the environment", "L10", "/opt/env/bin/abacus", "b'#!/opt/env/bin/python\\n' + packed('zip', **{'__main__.py': ORIGINAL})"),
    ("wheel kept", "L10", "/opt/env/share/wheels/abacus-1.0-py3-none-any.whl", "packed('zip', **{'abacus/numbers.py': ORIGINAL})"),
    ("tests installed", "L13 L09", f"{SITE}/tests/test_numbers.py", "TEST_FILE"),
    ("byte code by prefix", "L11", "/opt/bytecode/testbed/src/abacus/numbers.cpython-311.pyc", "byte_code(ORIGINAL)"),
    ("byte code of tests by prefix", "L11 L13", "/opt/bytecode/testbed/tests/test_numbers.cpython-311-pytest-8.4.2.pyc", "byte_code(TEST_FILE)"),
    ("byte code with the assertions of tests", "L11 L13", "/opt/bytecode/testbed/tests/t.cpython-311.pyc", "byte_code(TEST_FUNCTION)"),
    ("solution kept", "L13", "/opt/env/solution.patch", "PATCH"),
    ("prompt of the environment", "L16", "/opt/env/pyvenv.kept", "f'prompt = {ID}\\n'"),
    ("log of the build", "L16 L13", "/opt/env/build.log", "f'applying {ID}\\n'"),
)  # fmt: skip


def _files() -> list[Leak]:
    made = []
    for table, image in ((TOOLS, False), (IMAGE, True)):
        for name, ids, path, content in table:
            made.append(leak(name, ids, path.removeprefix("~/"), f"put({path!r}, {content})", image=image))
    return made


ALL: tuple[Leak, ...] = (*copies(), *_refs(), *_exclusive(), *_files(), *OTHER)
